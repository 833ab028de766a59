"""What each route takes of DynamoDB in the usual case, as AWS bills it: the table of docs/data-model.md."""

import json
from typing import Any

import pytest

from local.meter import Meter
from lockstep.array.run_index import is_left
from lockstep.clock import now
from lockstep.context import request
from lockstep.task.bound_item import Resources, Spec
from lockstep.task.item import Task
from lockstep.task_instance.item import TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.earlier import SURE_AFTER_SECONDS
from sim import requests
from tests.conformance.recording import Player, put
from tests.support import workflows
from tests.support.clusters import load_clusters, without_clusters
from tests.support.costs import Taken, taken
from tests.support.linking import ask, linked_run
from tests.support.memory import VirtualTime, running_on
from tests.support.seeding import LONG_COMMAND, batch, pair, run_of
from tests.support.tools import VERSION, a_name, a_template, bind_tool

START = {"process_group_id": 1, "next_report_increment": 279, "nodename": "n", "distributor_id": "7"}
FROM_THE_RUN_INDEX = 1
"""For an instance that needed attention."""
CANCELLED = 2
"""For each action of a cancelled transaction, at most."""
FAILED_CONDITION = 1
LISTED = 1
"""For what people see in a list: a workflow that moves, a batch that is noted, a task that fails for good."""
BOOM = {"error_state": "U", "error_message": "boom"}
COST: dict[str, tuple[tuple[str, str, dict[str, Any]], str, dict[str, Any], Taken]] = {
    "log_report_by": (("R", "R", {}), "log_report_by", {"next_report_increment": 279}, (1, 1, 0)),
    "log_running": (("O", "O", {}), "log_running", START, (2, 4, 0.5)),
    "log_running, a later attempt": (("O", "O", {"attempt": 2}), "log_running", START, (2, 4, 1)),
    "log_running, before the distributor": (("I", "I", {}), "log_running", START, (2, 4, 0.5)),
    "log_done": (("R", "R", {}), "log_done", {"nodename": "n", "stdout": "/o", "stderr": "/e"}, (1, 4, 0)),
    "log_done, with logs": (("R", "R", {}), "log_done", {"stdout_log": "x", "stderr_log": "y"}, (1, 6, 0)),
    "log_error_worker_node": (
        ("R", "R", {}),
        "log_error_worker_node",
        {"error_state": "E", "error_description": "boom"},
        (1, 6, 0),
    ),
    "log_known_error": (("T", "R", {}), "log_known_error", BOOM, (1, 6 + FROM_THE_RUN_INDEX, 0)),
    "log_unknown_error": (
        ("T", "R", {"report_by_in": -1}),
        "log_unknown_error",
        BOOM,
        (1, 6 + FROM_THE_RUN_INDEX, 0),
    ),
    "log_distributor_id": (
        ("I", "I", {}),
        "log_distributor_id",
        {"distributor_id": "7", "next_report_increment": 279},
        (1, 4, 0),
    ),
    "log_no_distributor_id": (("I", "I", {}), "log_no_distributor_id", {"no_id_err_msg": "boom"}, (1, 6, 0)),
    "a failure without attempts left is ruled on twice": (
        ("R", "R", {"task": {"num_attempts": 3}}),
        "log_error_worker_node",
        {"error_state": "E", "error_description": "boom"},
        (2, CANCELLED * 3 + 6 + LISTED, 0),
    ),
    "a claim of another worker node is counted": (
        ("R", "R", {"nodename": "n1", "process_group_id": 1, "distributor_id": "77"}),
        "log_running",
        START | {"nodename": "n2", "distributor_id": "78"},
        (3, CANCELLED * 2 + 1, 0.5),
    ),
}


@pytest.mark.parametrize("case", COST)
def test_a_report(meter: Meter, player: Player, case: str) -> None:
    (status, task_status, more), route, body, cost = COST[case]
    instance = pair(status, task_status, **more)
    assert taken(meter, player, "POST", f"/task_instance/{instance}/{route}", body) == cost


def test_a_report_on_the_longest_identity_is_still_one_unit(meter: Meter, player: Player) -> None:
    identity: dict[str, Any] = {"nodename": "n" * 255, "distributor_id": "d" * 80, "process_group_id": 2**62}
    instance = pair("K", "R", stdout="o" * 144, stderr="e" * 144, **identity)
    item = TaskInstance(f"TASK#{instance // 1000}", "TI#001")
    item.update([TaskInstance.taken_at.set(now())])
    assert taken(meter, player, *requests.log_report_by(instance, 279.5)) == (1, 1, 0)


def test_adjusted_resources_are_read_once_and_what_is_not_there_each_time(meter: Meter, player: Player) -> None:
    instances = [pair("O", "O", task_resources_id=number) for number in (THERE, THERE, MISSING, MISSING)]
    Resources(*Resources.key(THERE), queue_id=1, requested_resources={"stdout": "/adjusted"}).save()
    start = "/task_instance/{}/log_running"
    costs = [taken(meter, player, "POST", start.format(instance), START) for instance in instances]
    assert costs == [(3, 4, 1), (2, 4, 0.5), *[(4, 4, 2)] * 2]
    told = [player.send("POST", f"/api/v3{start.format(instance)}", json.dumps(START))[1] for instance in instances]
    assert [reply["task_instance"][7] for reply in told] == ["/adjusted"] * 2 + ["/logs/out"] * 2


THERE, MISSING = 77_000_001, 77_000_002
"""Requested resources."""


def test_bulk(meter: Meter, player: Player) -> None:
    launched = [pair("O", "O") for _ in range(60)]
    assert taken(meter, player, *requests.beat_launched(launched, 279)) == (3, 60, 0)
    of_one_run = requests.instantiate(batch(*({"status": "Q"} for _ in range(60))))
    assert taken(meter, player, *of_one_run) == (1 + 2 + 1, 4 * 60 + 2 * 2, 0.5 * 60 + 0.5)
    of_many_runs = requests.instantiate([pair("Q", "Q") for _ in range(60)])
    assert taken(meter, player, *of_many_runs) == (1 + 2 + 1, (4 + 2) * 60, 0.5 * 60 + 0.5 * 60)


def test_a_whole_life(meter: Meter, player: Player) -> None:
    """Queued, taken and launched with 97 others; run with five heartbeats, done with its logs."""
    workflow = workflows.Workflow(player, 98, command="true")
    array, ids = workflow.array, sorted(task_id for task_id, _ in workflow.bind().values())
    together = [
        taken(meter, player, *requests.queue(array, ids, 1, 1)),
        taken(meter, player, *requests.instantiate([task * 1000 + 1 for task in ids])),
        taken(meter, player, *requests.launch(array, 1, 279)),
    ]
    instance = ids[0] * 1000 + 1
    alone = [
        taken(meter, player, *requests.find_instance(array, 1, 0)),
        taken(meter, player, "POST", f"/task_instance/{instance}/log_running", START),
        *(taken(meter, player, *requests.log_report_by(instance, 279)) for _ in range(5)),
        taken(meter, player, *requests.log_done(instance, "n", stdout_log="x", stderr_log="y")),
    ]
    written, read = (
        sum(part[unit] for part in together) / len(ids) + sum(part[unit] for part in alone) for unit in (1, 2)
    )
    assert written == pytest.approx(29 + WRITTEN_FOR_THE_BATCH / len(ids))
    assert read == pytest.approx(2 + READ_FOR_THE_BATCH / len(ids))


WRITTEN_FOR_THE_BATCH = 1 + 2 * (2 + LISTED + 2) + 1 + 2 * 2 + (1 + 2 + LISTED)
"""Its number, in each of two transactions its size and a look at its run, and its entry in the run index; a look at the
run in each of the two transactions that take it; a note that it is launched, with which its entry moves."""
READ_FOR_THE_BATCH = 0.5 + 1 + 1
"""The array's name, the batch, and the index, of which 98 entries take more than 4 kB."""


def _run_of(player: Player, alive: int, ended: int) -> tuple[int, list[int]]:
    """A run that a distributor works on: batches of 500, whose instances run or have ended."""
    statuses = ["R"] * alive + ["D"] * ended
    first = batch(*({"status": status} for status in statuses[:500]))
    run = run_of(first[0])
    ids = [*first]
    for begin in range(500, len(statuses), 500):
        ids += batch(*({"status": status, "workflow_run_id": run} for status in statuses[begin : begin + 500]))
    for status in "IO":
        ask(player, requests.move_run(run, status))
    return run, ids[:alive]


@pytest.mark.parametrize(("alive", "ended"), [(100, 0), (1_000, 0), (100, 900)])
def test_what_a_run_asks_over_and_over(meter: Meter, player: Player, alive: int, ended: int) -> None:
    """An empty answer takes at most 1 read unit, however large the run is; a listed instance, half of one."""
    run, ids = _run_of(player, alive, ended)
    for status in "QIORTKX":
        sent, written, read = taken(meter, player, *requests.poll(run, status))
        assert sent <= 2
        assert written == 0
        assert read <= 1, status
    assert taken(meter, player, *requests.poll(run, "R", ids)) == (1 + alive // 100, 0, 0.5 + 0.5 * alive)
    assert taken(meter, player, *requests.sweep(run)) == (2, 0, 1)


def test_what_binding_tasks_again_takes(meter: Meter, player: Player) -> None:
    """What is as it was takes no write; what failed or says otherwise, the task, and a specification apart from it."""
    workflow, of_array = workflows.Workflow(player, 0), 1
    resources_id = workflow.expect("POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {}})
    row = [1, "9", workflow.array, resources_id, "t", "true", 3]
    body = {"workflow_id": workflow.id, "mark_created": False, "tasks": {"a": row}}
    [task_id, _] = workflow.bind_rows({"a": row})["a"]
    assert taken(meter, player, "PUT", "/task/bind_tasks_no_args", body) == (3, 0, of_array + 1.5)
    put(Task(*Task.key(task_id)), "F")
    assert taken(meter, player, "PUT", "/task/bind_tasks_no_args", body) == (4, 2, of_array + 1.5)
    for command, written in (("false", 2), (LONG_COMMAND, 4), (LONG_COMMAND + "x", 4), ("true", 2), ("false", 2)):
        row[5] = command
        assert taken(meter, player, "PUT", "/task/bind_tasks_no_args", body) == (4, written, of_array + 1.5)
        task = Task.get(*Task.key(task_id))
        assert task.specified == (written == 2)
        assert (task if task.specified else Spec.get(*Spec.key(task_id))).command == command


def test_what_binding_a_tool_and_its_templates_takes(meter: Meter, player: Player) -> None:
    name = a_name()
    once = taken(meter, player, "POST", "/tool", {"name": name})
    again = taken(meter, player, "POST", "/tool", {"name": name})
    tool_id, template = bind_tool(player, name), a_template(player)
    assert (once, again) == ((5, 10, 1.5), (1, 0, 0.5))
    assert taken(meter, player, "GET", f"/tool/{tool_id}/tool_versions") == (1, 0, 1)
    assert taken(meter, player, "POST", "/tool_version", {"tool_id": tool_id}) == (3, 5, 0.5)
    assert taken(meter, player, "GET", f"/tool_version/{template.tool_version_id}/task_templates") == (1, 0, 1)
    for path, body, cost in (
        ("/task_template", {"tool_version_id": template.tool_version_id, "task_template_name": name}, (4, 5, 2)),
        (f"/task_template/{template.id}/add_version", VERSION, (4, 2, 2)),
    ):
        assert [taken(meter, player, "POST", path, body) for _ in range(2)] == [cost, (1, 0, 1)]
    assert taken(meter, player, "GET", f"/task_template/{template.id}/versions") == (1, 0, 1)


def test_what_a_cluster_that_was_loaded_takes(meter: Meter, player: Player) -> None:
    without_clusters()
    load_clusters()
    paths = ("/cluster/slurm", "/cluster/4/queue/all.q", "/cluster/two-at-once", "/cluster/nobody", "/cluster/dummy")
    assert [taken(meter, player, "GET", path) for path in paths] == [(1, 0, 1), *[(0, 0, 0)] * 4]
    bound = {"queue_id": 5, "requested_resources": {}}
    assert taken(meter, player, "POST", "/task/bind_resources", bound) == (2, 2, 0)
    without_clusters()


def test_a_sweep_reads_the_batches_that_are_due_and_notes_when_to_look_again(meter: Meter, player: Player) -> None:
    run, ids = _run_of(player, 500, 500)
    for seconds in (0, 279):
        ask(player, requests.log_report_by(ids[7], seconds))
    index, item, steps, instances, note = 0.5 + 0.5, 0.5, 5 * 1.0, 500 * 0.5, 1 + 2 + LISTED
    _, written, read = taken(meter, player, *requests.sweep(run))
    assert (written, read) == (note, index + item + steps + instances)
    assert taken(meter, player, *requests.sweep(run)) == (2, 0, 1)


def test_what_a_resume_of_a_run_takes(meter: Meter, player: Player) -> None:
    workflow = run_of(batch({"status": "R"}, held=True)[0])
    resume = requests.set_resume(workflow, cold=True)
    note, moves, holder = 1, 1, 1
    assert taken(meter, player, *resume) == (4, moves + note, 1 + holder)
    assert taken(meter, player, *resume) == (3, note, 1 + holder)


def test_what_a_resume_after_a_run_takes(meter: Meter, player: Player) -> None:
    count = 50
    workflow = run_of(batch(*({"status": "R"} for _ in range(count)), held=True)[0])
    ask(player, requests.move_run(workflow, "E"))
    asks = f"/workflow/{workflow}/is_resumable"
    workflow_and_runs, in_kill_self = 1 + 1, 0.5
    assert taken(meter, player, "GET", asks) == (3, 0, workflow_and_runs + in_kill_self)
    assert taken(meter, player, *requests.set_resume(workflow, cold=True)) == (2, 1, 1)
    stopped, noted = (4 + FROM_THE_RUN_INDEX) * count, 1 + LISTED
    runs, indexed, item, steps = 1 + 1, 2 * 0.5, 0.5, 0.5
    empty = workflow_and_runs + in_kill_self + runs + indexed
    assert taken(meter, player, "GET", asks)[1:] == (stopped + noted, empty + 2 * (item + steps) + 1.5 * count)
    assert taken(meter, player, "GET", asks)[1:] == (0, empty + 2 * item + steps + count)


def test_what_a_run_after_a_resume_takes(meter: Meter, player: Player) -> None:
    workflow = run_of(batch({"status": "R"}, {"status": "R"}, held=True)[0])
    ask(player, requests.move_run(workflow, "E"))
    ask(player, requests.set_resume(workflow, cold=False))
    usual, index = 8, 1
    assert taken(meter, player, *requests.create_run(workflow, 90))[1:] == (usual + index, 1)
    run = Workflow.get(*Workflow.key(workflow)).workflow_run_id
    own, known, earlier = 1, 1 + 1, 0.5 + 1
    ask(player, requests.sweep(run))
    assert taken(meter, player, *requests.sweep(run)) == (7, 0, own + known + earlier)


def test_what_a_run_after_a_resume_that_left_nothing_takes(meter: Meter, player: Player) -> None:
    workflow = run_of(batch({"status": "D"}, held=True)[0])
    ask(player, requests.move_run(workflow, "E"))
    ask(player, requests.set_resume(workflow, cold=False))
    sweep = requests.sweep(ask(player, requests.create_run(workflow, 90))["workflow_run_id"])
    own, known, earlier, noted, forgotten = 1, 1 + 1, 0.5, 1 + 2, 1 + 1
    with running_on(VirtualTime(now())) as clock:
        assert taken(meter, player, *sweep) == (6, noted, own + known + earlier)
        assert taken(meter, player, *sweep) == (5, 0, own + known + earlier)
        clock.sleep(SURE_AFTER_SECONDS + 1)
        assert taken(meter, player, *sweep) == (6, forgotten, own + known + earlier)
        assert taken(meter, player, *sweep) == (2, 0, own)


def test_whether_anything_is_left_takes_half_a_unit_however_much_is(meter: Meter) -> None:
    run = run_of(batch(*({"status": "T"} for _ in range(200)))[0])
    before = meter.usage()
    with request():
        assert is_left(run)
    after = meter.usage()
    assert (after["dynamodb_requests"] - before["dynamodb_requests"], after["read_units"] - before["read_units"]) == (
        1,
        0.5,
    )


def test_a_heartbeat_that_is_due_soon_tells_its_batch(meter: Meter, player: Player) -> None:
    _, ids = _run_of(player, 2, 0)
    first, second = ids
    assert taken(meter, player, *requests.log_report_by(first, 60)) == (2, 1 + 3, 0)
    assert taken(meter, player, *requests.log_report_by(second, 90)) == (2, 1 + FAILED_CONDITION, 0)


def test_a_batch_that_waits_to_be_launched_is_read_once(meter: Meter, player: Player) -> None:
    run = run_of(batch(*({"status": "I"} for _ in range(500)))[0])
    for status in "IO":
        ask(player, requests.move_run(run, status))
    for _ in range(2):
        _, written, read = taken(meter, player, *requests.poll(run, "Q"))
        assert (written, read) == (0, 1.5)


def test_a_runs_heartbeat(meter: Meter, player: Player) -> None:
    beat = requests.beat_run(linked_run(player), 90, "B")
    assert taken(meter, player, *beat) == (3, FAILED_CONDITION + 4 + LISTED, 1), "it moves with its workflow"
    assert taken(meter, player, *beat) == (1, 1, 0)
