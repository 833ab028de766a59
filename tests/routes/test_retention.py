"""Retention: what carries which date, what that costs, and that what is half gone is bound, queued and run again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest

from local.meter import Meter
from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb.client import connection, transact
from lockstep.dynamodb.counters import Counter as IdCounter
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.dynamodb.reads import fetch
from lockstep.items import kind_of
from lockstep.task import bind as binding
from lockstep.task.bound_item import Resources, Spec, TaskLookup
from lockstep.task.item import Task
from lockstep.task.resources import forget
from lockstep.task_instance.item import ErrorEntry, InstanceKey, Log, TaskInstance
from lockstep.workflow_run.item import WorkflowRun
from tests.conformance.recording import Player
from tests.routes import test_cost
from tests.support.memory.boundary import calls_in_memory
from tests.support.workflows import BEAT, BOOM, CLAIM, Workflow, live

DAY = 86_400
DAYS = 30.0


@pytest.fixture
def retention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", DAYS)


@pytest.fixture
def player() -> Iterator[Player]:
    """Calls the functions on an empty table in memory: but for what races, or is counted."""
    with calls_in_memory():
        yield Player()


def lookups(workflow: Workflow) -> dict[int, Key]:
    return {node: TaskLookup.key(workflow.id, node + 1, f"args {node}") for node in range(workflow.size)}


def items_of(workflow: Workflow) -> dict[Key, RawItem]:
    """All that belongs to its tasks, and its batches."""
    with request(60):
        found = fetch(lookups(workflow).values(), consistent=True)
    tasks = [Task.partition(int(raw["id"]["N"])) for raw in found.values()]
    [array] = partition_of(Array.key(workflow.array).pk)
    batches = [Batch.key(workflow.array, number + 1).pk for number in range(int(array["num_batches"]["N"]))]
    return found | {
        Key(raw["pk"]["S"], raw["sk"]["S"]): raw for partition in [*tasks, *batches] for raw in partition_of(partition)
    }


def partition_of(pk: str) -> list[RawItem]:
    reply = connection().client.query(
        TableName=Item.Meta.table_name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    found: list[RawItem] = reply["Items"]
    return found


@pytest.mark.usefixtures("retention")
def test_all_that_belongs_to_a_task_and_its_batches_carry_a_date(player: Player) -> None:
    workflow, began = Workflow(player, 1), now()
    live(workflow)
    items = items_of(workflow)
    twice = [Batch, TaskInstance, Log]
    assert Counter(map(kind, items)) == Counter([TaskLookup, Task, Spec, ErrorEntry, *twice, *twice])
    for key, raw in items.items():
        assert began <= int(raw["expires_at"]["N"]) - DAYS * DAY <= now() + 1, key


@pytest.mark.usefixtures("retention")
def test_what_stays_carries_none(player: Player) -> None:
    workflow = Workflow(player, 1)
    live(workflow)
    resources = workflow.expect("POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {}})
    stays = {
        Array.key(workflow.array),
        ArrayLookup.key(workflow.id, 1),
        WorkflowRun.key(workflow.run),
        Resources.key(resources),
        IdCounter.key("task"),
    }
    with request():
        found = fetch(stays, consistent=True)
    assert found.keys() == stays
    assert not [key for key, raw in found.items() if "expires_at" in raw]


def test_without_a_period_nothing_carries_a_date(player: Player) -> None:
    workflow = Workflow(player, 1)
    live(workflow)
    items = items_of(workflow)
    assert len(items) == 10
    assert not [key for key, raw in items.items() if "expires_at" in raw]


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize("route", ["log_report_by", "log_running", "log_done", "log_error_worker_node"])
def test_every_write_sets_the_date_anew(player: Player, route: str) -> None:
    workflow = Workflow(player, 1)
    [(task_id, _)] = workflow.bind().values()
    [instance] = workflow.queue([task_id])
    if route != "log_running":
        workflow.start(instance)
    key = TaskInstance.key(InstanceKey(task_id, 1))
    date([key], int(now()) + DAY)
    began = now()
    workflow.hears(instance, route, **CLAIM, **BOOM)
    with request():
        [raw] = fetch([key], consistent=True).values()
    assert int(raw["expires_at"]["N"]) >= began + DAYS * DAY


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize("case", test_cost.COST)
def test_a_report_costs_the_same(meter: Meter, engine_player: Player, case: str) -> None:
    test_cost.test_a_report(meter, engine_player, case)


@pytest.mark.usefixtures("retention")
def test_everything_else_costs_the_same(meter: Meter, engine_player: Player) -> None:
    test_cost.test_a_report_on_the_longest_identity_is_still_one_unit(meter, engine_player)
    test_cost.test_bulk(meter, engine_player)
    test_cost.test_a_sweep_reads_the_batches_that_are_due_and_notes_when_to_look_again(meter, engine_player)
    test_cost.test_a_heartbeat_that_is_due_soon_tells_its_batch(meter, engine_player)


def test_a_life_costs_the_same(meter: Meter, engine_player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    def cost() -> tuple[float, float]:
        forget()
        workflow, before = Workflow(engine_player, 40), meter.usage()
        for instance in workflow.queue(task_id for task_id, _ in workflow.bind().values()):
            workflow.finish(instance)
        workflow.bind()
        after = meter.usage()
        return after["dynamodb_requests"] - before["dynamodb_requests"], after["write_units"] - before["write_units"]

    without = cost()
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", DAYS)
    assert cost() == without


KINDS = (TaskLookup, Task, Spec, TaskInstance, Log, ErrorEntry)
COMBINATIONS: list[frozenset[type[Item]]] = [
    frozenset(gone) for size in range(len(KINDS) + 1) for gone in combinations(KINDS, size)
]


def kind(key: Key) -> type[Item]:
    found = kind_of(key)
    assert found, key
    return found.model


def date(found: Iterable[Key], expires_at: int) -> None:
    for key in found:
        connection().client.update_item(
            TableName=Item.Meta.table_name,
            Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            UpdateExpression="SET expires_at = :at",
            ExpressionAttributeValues={":at": {"N": str(expires_at)}},
        )


def delete(found: Iterable[Key]) -> None:
    for key in found:
        connection().client.delete_item(TableName=Item.Meta.table_name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}})


class Decayed:
    """A workflow of as many tasks as there are combinations, of whose items those are gone."""

    def __init__(self, player: Player, ends_as: str, *, batch_gone: bool, gone: list[frozenset[type[Item]]]) -> None:
        self.workflow = Workflow(player, len(gone))
        self.gone = gone
        self.before = {node: task_id for node, (task_id, _) in self.workflow.bind().items()}
        self.node_of = {Task.partition(task_id): node for node, task_id in self.before.items()}
        self.node_of |= {lookup.pk: node for node, lookup in lookups(self.workflow).items()}
        self.instances = {node: InstanceKey(task_id, 1).id for node, task_id in self.before.items()}
        if ends_as != "bound":
            end = {"failed": self.workflow.fail, "done": self.workflow.finish}[ends_as]
            for instance in self.workflow.queue(self.before.values()):
                end(instance)
            poll = {"task_instance_ids": sorted(self.instances.values()), "status": "O"}
            self.workflow.expect("POST", f"/workflow_run/{self.workflow.run}/sync_status", poll)
        self.items = items_of(self.workflow)
        self.batch_gone = batch_gone

    def decay(self) -> None:
        delete(key for key in self.items if self.is_gone(key))

    def is_gone(self, key: Key) -> bool:
        node = self.node_of.get(key.pk)
        return self.batch_gone if node is None else kind(key) in self.gone[node]

    def left(self) -> list[Key]:
        return [key for key in self.items if not self.is_gone(key)]

    def run_again(self) -> dict[int, int]:
        """What is bound again, queued and run to its end: the instances by their nodes."""
        bound = self.workflow.bind(max_attempts=2)
        again = {task_id: node for node, (task_id, status) in bound.items() if status != "D"}
        instances = self.workflow.queue(again)
        assert len(instances) == len(again)
        for instance in instances:
            self.workflow.finish(instance)
            whole = self.workflow.expect("GET", f"/task_instance/{instance}")
            assert (whole["task_instance"]["status"], whole["task"]["status"]) == ("D", "D")
            assert (whole["task"]["num_attempts"], whole["task"]["max_attempts"]) == (1, 2)
        assert not set(instances) & set(self.instances.values())
        assert self.workflow.bind() == {node: (task_id, "D") for node, (task_id, _) in bound.items()}
        return {again[instance // 1000]: instance for instance in instances}


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize(("ends_as", "batch_gone"), [("bound", False), ("failed", True), ("done", False)])
def test_what_has_expired_comes_back_as_new_however_much_of_it_is_gone(
    player: Player, ends_as: str, *, batch_gone: bool
) -> None:
    decayed = Decayed(player, ends_as, batch_gone=batch_gone, gone=COMBINATIONS)
    date(decayed.items, int(now()) - 1)
    decayed.decay()
    again = decayed.run_again()
    assert again.keys() == decayed.before.keys()
    assert not {instance // 1000 for instance in again.values()} & set(decayed.before.values())


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize("ends_as", ["failed", "done"])
def test_what_is_older_than_its_task_goes_before_it(player: Player, ends_as: str) -> None:
    """A task that is still there keeps its id and counts on; a done one stays done."""
    decayed = Decayed(player, ends_as, batch_gone=True, gone=[gone for gone in COMBINATIONS if Task not in gone])
    decayed.decay()
    again = decayed.run_again()
    forgotten = {node for node, gone in enumerate(decayed.gone) if TaskLookup in gone}
    assert again.keys() == (forgotten if ends_as == "done" else decayed.before.keys())
    kept = {node: instance for node, instance in again.items() if node not in forgotten}
    assert kept == {node: decayed.instances[node] + 1 for node in kept}


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize("batch_gone", [False, True])
def test_reads_of_what_is_half_gone(player: Player, *, batch_gone: bool, expired: bool) -> None:
    decayed = Decayed(player, "failed", batch_gone=batch_gone, gone=COMBINATIONS)
    if expired:
        date(decayed.items, int(now()) - 1)
    decayed.decay()
    send = decayed.workflow.send
    for node, gone in enumerate(decayed.gone):
        instance = decayed.instances[node]
        path = f"/task_instance/{instance}"
        assert send("GET", path)[0] == (404 if gone & {TaskInstance, Task, Spec} else 200), gone
        status, reply = send("GET", f"{path}/task_instance_error_log")
        assert status == (404 if TaskInstance in gone else 200), gone
        if status == 200:
            assert len(reply["task_instance_error_log"]) == (ErrorEntry not in gone), gone
        step = send("GET", f"/get_array_task_instance_id/{decayed.workflow.array}/1/{node}")
        assert step == (200, {"task_instance_id": instance}) if TaskInstance not in gone else step[0] == 404, gone


REPORTS: dict[str, dict[str, Any]] = {
    "log_report_by": BEAT,
    "log_running": CLAIM,
    "log_done": {},
    "log_distributor_id": {"distributor_id": "7", "next_report_increment": 279},
    "log_no_distributor_id": {"no_id_err_msg": "boom"},
    "log_known_error": test_cost.BOOM,
    "log_unknown_error": test_cost.BOOM,
    "log_error_worker_node": BOOM,
}


@pytest.mark.usefixtures("retention")
@pytest.mark.parametrize("route", REPORTS)
def test_reports_about_what_is_half_gone(player: Player, route: str) -> None:
    decayed = Decayed(player, "failed", batch_gone=False, gone=COMBINATIONS)
    date(decayed.items, int(now()) - 1)
    decayed.decay()
    for node, gone in enumerate(decayed.gone):
        status, reply = decayed.workflow.report(decayed.instances[node], route, **REPORTS[route])
        assert status == 404 if TaskInstance in gone else status in {200, 404}, (gone, reply)
        assert status == 200 or gone & {TaskInstance, Task, Spec}, (gone, reply)


@pytest.mark.usefixtures("retention")
def test_a_run_whose_instances_are_half_gone_is_polled_swept_and_ended(player: Player) -> None:
    workflow = Workflow(player, 3)
    first, *_ = workflow.queue(task_id for task_id, _ in workflow.bind().values())
    items = items_of(workflow)
    date(items, int(now()) - 1)
    delete([TaskInstance.key(InstanceKey(first // 1000, 1))])
    run = f"/workflow_run/{workflow.run}"
    for status in "QIORTKX":
        workflow.expect("POST", f"{run}/sync_status", {"task_instance_ids": [first], "status": status})
    workflow.sweep()
    assert workflow.expect("PUT", f"{run}/terminate_task_instances")["num_terminated"] == 0


def test_a_lookup_that_outlived_its_task_leads_all_who_race_to_one_new_id(engine_player: Player) -> None:
    workflow = Workflow(engine_player, 70)
    before = {task_id for task_id, _ in workflow.bind().values()}
    delete(Task.key(task_id) for task_id in before)
    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(lambda _: workflow.bind(), range(8))
    assert all(other == first for other in others)
    after = {task_id for task_id, _ in first.values()}
    assert len(after) == 70
    assert not after & before


def test_a_task_that_only_a_read_misses_keeps_its_id(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup of a transaction may be seen a moment before its task."""
    workflow = Workflow(player, 40)
    before = workflow.bind()
    missed = iter([True])

    def miss_tasks(wanted: Iterable[Key], *, consistent: bool) -> dict[Key, RawItem]:
        found = fetch(wanted, consistent=consistent)
        if any(key.sk == Task.SORT_KEY for key in found) and next(missed, False):
            return {}
        return found

    monkeypatch.setattr(binding, "fetch", miss_tasks)
    assert workflow.bind() == before
    assert next(missed, None) is None


@pytest.mark.parametrize("goes", [Task.SORT_KEY, TaskLookup.SORT_KEY])
def test_a_task_that_goes_while_it_is_bound(player: Player, monkeypatch: pytest.MonkeyPatch, goes: str) -> None:
    workflow = Workflow(player, 2)
    before = workflow.bind()
    task_id, _ = before[0]
    key = Task.key(task_id) if goes == Task.SORT_KEY else lookups(workflow)[0]
    date([Task.key(task_id)], int(now()) - 1 if goes == TaskLookup.SORT_KEY else int(now()) + DAY)
    left = iter([key])

    def delete_before(*arguments: Any) -> None:
        delete(left)
        transact(*arguments)

    monkeypatch.setattr(binding, "transact", delete_before)
    after = workflow.bind(max_attempts=1)
    assert after[1] == before[1]
    assert after[0][0] not in {number for number, _ in before.values()}
    [instance] = workflow.queue([after[0][0]])
    workflow.finish(instance)
