"""What the store writes and reads, one thread at a time, on moto's DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from local.seed import Seed, load
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb import client as table
from lockstep.dynamodb.item import Item
from lockstep.errors import NotFoundError
from lockstep.fsm.guards import Decision, Guard
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, Refusal, RefusalKind
from lockstep.task.bound_item import Spec
from lockstep.task.item import Task
from lockstep.task_instance import store
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_errors, read_for_start, read_whole
from lockstep.task_instance.report import ReportedFields
from lockstep.task_instance.store import PairWrite, WriteRejectedError
from tests.support.clients import on_moto
from tests.support.seeding import LONG_COMMAND

KEY = InstanceKey(42, 1)
RUNNING = frozenset({TaskInstanceStatus.RUNNING})
TASK_RUNNING = frozenset({TaskStatus.RUNNING})


@pytest.fixture(autouse=True)
def mocked() -> Iterator[None]:
    with on_moto(), request(60):
        load(Seed.model_validate(SEED))
        yield


SEED: dict[str, Any] = {
    "arrays": [
        {
            "array_id": 7,
            "name": "a",
            "workflow_id": 1,
            "task_template_version_id": 1,
            "max_concurrently_running": 1,
        }
    ],
    "tasks": [
        {
            "task_id": 42,
            "status": "R",
            "num_attempts": 1,
            "max_attempts": 3,
            "workflow_id": 1,
            "array_id": 7,
            "name": "t",
            "command": "true",
            "task_resources_id": 1,
        }
    ],
    "task_instances": [
        {
            "task_instance_id": 42001,
            "status": "R",
            "workflow_run_id": 1,
            "array_id": 7,
            "array_batch_num": 1,
            "array_step_id": 0,
            "task_resources_id": 1,
            "report_by_in": 90,
            "errors": ["first", "second"],
        }
    ],
}


DONE = Move(TaskInstanceStatus.DONE, TaskStatus.DONE, "the command finished")


def finish(**guard: Any) -> PairWrite:
    decision = Decision(DONE, Guard(**{"task_instance": RUNNING, "task": TASK_RUNNING} | guard))
    return PairWrite(KEY, decision, ReportedFields(nodename="n", error="boom"))


def test_a_pair_moves_with_all_that_was_said() -> None:
    store.write_pairs([finish()])
    whole = read_whole(KEY)
    assert (whole.instance.status, whole.task.status, whole.instance.nodename) == ("D", "D", "n")
    assert whole.instance.status_date == whole.task.status_date
    assert [error.text for error in read_errors(KEY).errors] == ["first", "second", "boom"]


@pytest.mark.parametrize(
    "guard",
    [
        {"task_instance": frozenset({TaskInstanceStatus.LAUNCHED})},
        {"task": frozenset({TaskStatus.LAUNCHED})},
        {"attempts_left": False},
        {"superseded": True},
        {"overdue": True},
        {"none_due_ahead": True},
    ],
    ids=lambda guard: next(iter(guard)),
)
def test_a_guard_that_does_not_hold_stops_all_of_it(guard: dict[str, Any]) -> None:
    with pytest.raises(WriteRejectedError) as rejected:
        store.write_pairs([finish(**guard)])
    [rejection] = rejected.value.rejections
    about_the_task = guard.keys() & {"task", "attempts_left", "superseded"}
    assert (rejection.task is not None, rejection.task_instance is not None) == (
        bool(about_the_task),
        not about_the_task,
    )
    whole = read_whole(KEY)
    assert (whole.instance.status, whole.task.status) == ("R", "R")
    assert "nodename" not in whole.instance.attribute_values
    assert len(read_errors(KEY).errors) == 2


def test_an_attempt_that_another_has_followed_is_not_the_latest() -> None:
    Task(*Task.key(KEY.task_id)).update([Task.num_instances.set(2)])
    with pytest.raises(WriteRejectedError):
        store.write_pairs([finish(superseded=False)])
    store.write_pairs([finish(superseded=True)])


def test_one_pair_that_does_not_hold_stops_the_others() -> None:
    stranger = PairWrite(InstanceKey(43, 1), Decision(replace(DONE, task=None), Guard(RUNNING, None)), ReportedFields())
    with pytest.raises(WriteRejectedError) as rejected:
        store.write_pairs([finish(), stranger])
    assert [rejection.missing for rejection in rejected.value.rejections] == [False, True]
    assert read_whole(KEY).instance.status == "R"


def test_the_same_words_are_one_entry_of_the_first_time() -> None:
    refused = Decision(Refusal(RefusalKind.INVALID, "refused"), Guard(RUNNING, None))
    said = PairWrite(KEY, refused, ReportedFields(error="boom"))
    store.write_pairs([said])
    first = read_errors(KEY)
    store.write_pairs([said])
    assert read_errors(KEY) == first


def test_a_long_path_goes_to_the_log_and_a_short_one_comes_back() -> None:
    long_path = "/" + "p" * 1000
    store.log_heartbeat(KEY, ReportedFields(stdout=long_path, report_by=now()), TaskInstanceStatus.TRIAGING)
    whole = read_whole(KEY)
    assert "stdout" not in whole.instance.attribute_values
    assert whole.log.stdout == long_path
    store.log_heartbeat(KEY, ReportedFields(stdout="/short"), TaskInstanceStatus.TRIAGING)
    assert read_whole(KEY).instance.stdout == "/short"


def test_a_stranger_has_no_heartbeat() -> None:
    with pytest.raises(NotFoundError):
        store.log_heartbeat(InstanceKey(43, 1), ReportedFields(report_by=now()), TaskInstanceStatus.TRIAGING)
    assert not table.fetch([TaskInstance.key(InstanceKey(43, 1))], consistent=True)


@pytest.mark.parametrize(("attempt", "operation"), [(1, "Query"), (2, "BatchGetItem")])
@pytest.mark.parametrize("lag", ["old", "missing"])
@pytest.mark.parametrize(("command", "holder"), [("true", Task), (LONG_COMMAND, Spec)])
def test_a_specification_that_lags_is_read_again(
    attempt: int, operation: str, lag: str, command: str, holder: type[Task | Spec]
) -> None:
    """An eventually consistent read may answer the specification of an earlier binding, or none."""
    later = SEED["task_instances"][0] | {"task_instance_id": 42000 + attempt, "errors": ["e" * 10_000]}
    bound = SEED["tasks"][0] | {"command": command}
    load(Seed.model_validate(SEED | {"tasks": [bound], "task_instances": [later]}))
    reads: list[bool] = []

    def remember(params: dict[str, Any], **_: Any) -> None:
        asked = params.get("RequestItems", {}).get(Item.Meta.table_name, params)
        reads.append(asked.get("ConsistentRead", False))

    def lagging(parsed: dict[str, Any], **_: Any) -> None:
        if any(reads):
            return
        found = parsed.get("Items") or parsed["Responses"][Item.Meta.table_name]
        for spec in [raw for raw in found if raw["sk"]["S"] == holder.SORT_KEY]:
            if lag == "missing":
                found.remove(spec)
            spec |= {"spec_version": {"N": "0"}, "command": {"S": "the old command"}}

    events = table.connection().client.meta.events
    events.register(f"provide-client-params.dynamodb.{operation}", remember)
    events.register(f"after-call.dynamodb.{operation}", lagging)
    instance, spec = read_for_start(InstanceKey(42, attempt))
    assert (instance.sk, spec.command) == (TaskInstance.sort_key(attempt), command)
    apart = attempt > 1 and holder is Spec
    assert reads == [False] * (1 + apart) + [True] * (1 + apart)
