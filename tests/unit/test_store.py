"""A write's conditions hold what its guard says, and what the store makes of a read that lags."""

from typing import Any

import pytest

from lockstep.context import request
from lockstep.dynamodb import client as table
from lockstep.dynamodb.item import Item
from lockstep.fsm.guards import Guard
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move
from lockstep.task.bound_item import Spec
from lockstep.task.item import Task
from lockstep.task_instance import store
from lockstep.task_instance.item import InstanceKey, TaskInstance, split_task_instance_id
from lockstep.task_instance.read import read_errors, read_for_start, read_whole
from lockstep.task_instance.report import ReportedFields
from lockstep.task_instance.store import PairWrite, WriteRejectedError
from tests.support.memory import in_memory
from tests.support.seeding import LONG_COMMAND, running

RUNNING = {"task_instance": frozenset({TaskInstanceStatus.RUNNING}), "task": frozenset({TaskStatus.RUNNING})}
DONE = Move(TaskInstanceStatus.DONE, TaskStatus.DONE, "the command finished")


def key_of(**instance: Any) -> InstanceKey:
    """A new instance that is RUNNING, in the midst of its attempts."""
    key = split_task_instance_id(running(**instance))
    assert key
    return key


def finish(key: InstanceKey, **guard: Any) -> None:
    said = ReportedFields(nodename="n", error="boom")
    store.write_pairs([PairWrite(key, DONE, Guard(**RUNNING | guard), said)])


@pytest.mark.parametrize(
    "guard",
    [
        {"task_instance": frozenset({TaskInstanceStatus.LAUNCHED})},
        {"task": frozenset({TaskStatus.LAUNCHED})},
        {"attempts_left": False},
        {"superseded": True},
        {"overdue": True},
        {"not_yet_due": False},
    ],
    ids=lambda guard: next(iter(guard)),
)
def test_a_guard_that_does_not_hold_stops_all_of_it(guard: dict[str, Any]) -> None:
    about_the_task = bool(guard.keys() & {"task", "attempts_left", "superseded"})
    with in_memory(), request():
        key = key_of()
        with pytest.raises(WriteRejectedError) as rejected:
            finish(key, **guard)
        whole, errors = read_whole(key), read_errors(key).errors
    [rejection] = rejected.value.rejections
    assert (rejection.task is not None, rejection.task_instance is not None) == (about_the_task, not about_the_task)
    assert (whole.instance.status, whole.task.status, errors) == ("R", "R", [])
    assert "nodename" not in whole.instance.attribute_values


def test_an_attempt_that_another_has_followed_is_not_the_latest() -> None:
    with in_memory(), request():
        key = key_of()
        Task(*Task.key(key.task_id)).update([Task.num_instances.set(2)])
        with pytest.raises(WriteRejectedError):
            finish(key, superseded=False)
        finish(key, superseded=True)
        assert read_whole(key).instance.status == "D"


@pytest.mark.parametrize(("attempt", "operation"), [(1, "Query"), (2, "BatchGetItem")])
@pytest.mark.parametrize("lag", ["old", "missing"])
@pytest.mark.parametrize(("command", "holder"), [("true", Task), (LONG_COMMAND, Spec)])
def test_a_specification_that_lags_is_read_again(
    attempt: int, operation: str, lag: str, command: str, holder: type[Task | Spec]
) -> None:
    """An eventually consistent read may answer the specification of an earlier binding, or none."""
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

    with in_memory(), request(60):
        key = key_of(attempt=attempt, task={"command": command}, errors=["e" * 10_000])
        events = table.connection().client.meta.events
        events.register(f"provide-client-params.dynamodb.{operation}", remember)
        events.register(f"after-call.dynamodb.{operation}", lagging)
        instance, spec = read_for_start(key)
    assert (instance.sk, spec.command) == (TaskInstance.sort_key(attempt), command)
    apart = attempt > 1 and holder is Spec
    assert reads == [False] * (1 + apart) + [True] * (1 + apart)
