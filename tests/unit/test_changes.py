"""From a record of the stream to an event: every move, and nothing but moves."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any, Final

import pytest

from local.events_document import record
from lockstep import observability
from lockstep.array.item import Batch
from lockstep.changes.event import EVENTS, UnreadableRecordError, event_of
from lockstep.changes.tell import MAX_LOGGED, tell
from lockstep.dynamodb.item import Item
from lockstep.fsm.reasons import reason_of, task_reason_of
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.fsm.transitions import TASK_MOVES, UNTIMELY, VALID
from lockstep.fsm.workflow_run import (
    DONE_AFTER_ALL,
    GIVEN_UP,
    RUN_MOVES,
    TAKEN_OVER,
    WORKFLOW_FOLLOWS,
    run_reason_of,
    workflow_reason_of,
)
from lockstep.task.bound_item import Spec
from lockstep.task_instance.item import InstanceKey, Log
from tests.support.changes import RUN, WHEN, instance, run, task, workflow

T, TI = TaskStatus, TaskInstanceStatus


def seen(new: Item | None, old: Item | None = None) -> dict[str, Any] | None:
    event = event_of(record(new, old), "lockstep")
    return event.model_dump(mode="json", by_alias=True) if event else None


def told(new: Item, old: Item | None = None) -> tuple[str, str | None, str, str | None]:
    """The kind, the letters and the reason of an event."""
    event = seen(new, old)
    assert event
    detail = event["detail"]
    return event["detail-type"], detail["from"], detail["to"], detail["reason"]


def test_an_event_of_an_instance() -> None:
    assert seen(instance("E", came_from="R"), instance("R")) == {
        "source": "lockstep",
        "detail-type": "Task Instance Status Change",
        "time": WHEN,
        "detail": {
            "stack": "lockstep",
            "change_id": "4b25bd0f6ee9c4e8a1b1d8a4f9a4d5c7",
            "from": "R",
            "from_name": "RUNNING",
            "to": "E",
            "to_name": "ERROR",
            "reason": "the command failed",
            "status_date": WHEN,
            "task_instance_id": 42003,
            "task_id": 42,
            "array_id": 7,
            "workflow_run_id": RUN,
        },
    }


@pytest.mark.parametrize(
    ("new", "old", "ids"),
    [
        (task("D"), task("R"), {"task_id": 42, "array_id": 7, "workflow_id": 9}),
        (run("D"), run("R"), {"workflow_run_id": RUN, "workflow_id": 9}),
        (workflow("Q", workflow_run_id=RUN), workflow("G", workflow_run_id=RUN), {"workflow_run_id": RUN}),
        (workflow("F"), workflow("R", workflow_run_id=RUN), {"workflow_run_id": RUN, "workflow_id": 9}),
        (workflow("G"), None, {"workflow_run_id": None, "workflow_id": 9}),
    ],
    ids=["a task", "a run", "a workflow", "a workflow whose run has ended", "a new workflow"],
)
def test_an_event_names_whom_it_is_about(new: Item, old: Item | None, ids: dict[str, int]) -> None:
    event = seen(new, old)
    assert event
    assert event["detail"].items() >= ids.items()


@pytest.mark.parametrize("edge", VALID, ids=lambda edge: f"{edge.source.name} → {edge.target.name}")
def test_every_move_of_an_instance(edge: Any) -> None:
    expected = ("Task Instance Status Change", edge.source.value, edge.target.value, edge.reason)
    assert told(instance(edge.target), instance(edge.source)) == expected


@pytest.mark.parametrize("edge", TASK_MOVES, ids=lambda edge: f"{edge.source.name} → {edge.target.name}")
def test_every_move_of_a_task(edge: Any) -> None:
    expected = ("Task Status Change", edge.source.value, edge.target.value, edge.reason)
    assert told(task(edge.target), task(edge.source)) == expected


FAILS_FROM: Final = [edge.source for edge in TASK_MOVES if edge.target is T.ERROR_RECOVERABLE]


@pytest.mark.parametrize("source", FAILS_FROM)
@pytest.mark.parametrize("target", [T.REGISTERING, T.ADJUSTING_RESOURCES, T.ERROR_FATAL])
def test_a_task_fails_in_one_write(source: TaskStatus, target: TaskStatus) -> None:
    [reason] = [edge.reason for edge in TASK_MOVES if (edge.source, edge.target) == (T.ERROR_RECOVERABLE, target)]
    assert told(task(target), task(source)) == ("Task Status Change", source.value, target.value, reason)


@pytest.mark.parametrize("source", [status for status in T if status not in {T.DONE, T.REGISTERING}])
def test_a_task_starts_over(source: TaskStatus) -> None:
    assert told(task("G", num_attempts=0), task(source))[3] == "it starts over"


def test_a_task_gets_more_resources() -> None:
    assert told(task("E"), task("F"))[3] == "it gets more resources, and may start over"


@pytest.mark.parametrize("edge", [*RUN_MOVES, *DONE_AFTER_ALL, *TAKEN_OVER], ids=lambda e: f"{e.source}{e.target}")
def test_every_move_of_a_run(edge: Any) -> None:
    same = {each.reason for each in (*RUN_MOVES, *TAKEN_OVER, *DONE_AFTER_ALL) if each[:2] == edge[:2]}
    kind, source, target, reason = told(run(edge.target), run(edge.source))
    assert (kind, source, target) == ("Workflow Run Status Change", edge.source.value, edge.target.value)
    assert reason in same


@pytest.mark.parametrize("follow", WORKFLOW_FOLLOWS, ids=lambda follow: follow.run.name)
def test_every_move_of_a_workflow(follow: Any) -> None:
    for source in follow.sources - {follow.workflow}:
        kind, left, came, reason = told(workflow(follow.workflow), workflow(source))
        assert (kind, left, came) == ("Workflow Status Change", source.value, follow.workflow.value)
        assert reason
        assert follow.reason in reason


def test_two_moves_of_a_run_fail_its_workflow() -> None:
    assert told(workflow("F"), workflow("R"))[3] == "its run failed, or its run was stopped"


def test_what_is_given_up_has_a_reason() -> None:
    assert all(run_reason_of(source, target) for source, target in GIVEN_UP.items())


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (instance("Q"), ("Task Instance Status Change", None, "Q", "its task gets an attempt")),
        (task("G", num_attempts=0), ("Task Status Change", None, "G", "it is bound")),
        (run("L"), ("Workflow Run Status Change", None, "L", "it has claimed its workflow")),
        (workflow("G"), ("Workflow Status Change", None, "G", "it is bound, or has its first array")),
    ],
    ids=["an instance", "a task", "a run", "a workflow"],
)
def test_what_is_new(new: Item, expected: tuple[str, None, str, str]) -> None:
    assert told(new) == expected


LOADED: Final = [instance("R"), task("R"), run("R"), workflow("R")]


@pytest.mark.parametrize("new", LOADED, ids=lambda new: type(new).__name__)
def test_what_was_loaded_has_no_reason(new: Item) -> None:
    assert told(new)[1:] == (None, "R", None)


def test_a_reason_is_one_of_the_state_machines() -> None:
    """No other pair of statuses has one."""
    valid = {(edge.source, edge.target) for edge in VALID}
    instances = {(source, target) for source, target in product(TI, TI) if reason_of(source, target)}
    assert instances - valid <= {(source, TI.ERROR_FATAL) for source in TI}
    assert valid <= instances
    assert not [edge for edge in UNTIMELY if (edge.source, edge.target) in instances]
    assert not [target for target in T if target is not T.DONE and task_reason_of(T.DONE, target, fresh=False)]
    assert task_reason_of(T.DONE, T.REGISTERING, fresh=True) is None
    assert workflow_reason_of(WorkflowStatus.DONE, WorkflowStatus.RUNNING) is None
    assert run_reason_of(WorkflowRunStatus.DONE, WorkflowRunStatus.RUNNING) is None


HEARTBEAT: Final = {"report_by": 1_760_000_300.0, "nodename": "n1"}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (instance("R", **HEARTBEAT), instance("R")),
        (task("G", num_attempts=0), task("G", num_attempts=1)),
        (run("R", heartbeat_date=1_760_000_300.0), run("R")),
        (workflow("R", num_tasks=5), workflow("R")),
        (None, instance("D")),
        (None, task("D")),
        (Log(*Log.key(InstanceKey(42, 3)), stdout_log="hello"), None),
        (Spec(*Spec.key(42), spec_version=1, array_id=7, workflow_id=9), None),
        (Batch(*Batch.key(7, 1), size=1), Batch(*Batch.key(7, 1), size=0)),
    ],
    ids=[
        "a heartbeat",
        "a task that starts over where it is",
        "a run's heartbeat",
        "a workflow that gets tasks",
        "an instance that expired",
        "a task that expired",
        "a log",
        "a specification",
        "a batch",
    ],
)
def test_what_moves_nothing_makes_no_event(new: Item | None, old: Item | None) -> None:
    assert seen(new, old) is None


def without(changed: dict[str, Any], *path: str) -> dict[str, Any]:
    at: Any = changed
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return changed


def with_status(letter: Any) -> dict[str, Any]:
    made = record(instance("D"), instance("R"))
    made["dynamodb"]["NewImage"]["status"] = letter
    return made


def moved() -> dict[str, Any]:
    return record(instance("D"), instance("R"))


UNREADABLE: Final[dict[str, Callable[[], Any]]] = {
    "no record": lambda: None,
    "an empty one": dict,
    "no event name": lambda: without(moved(), "eventName"),
    "an event name that the stream has not": lambda: moved() | {"eventName": "?"},
    "an event name of another type": lambda: moved() | {"eventName": ["MODIFY"]},
    "no id": lambda: without(moved(), "eventID"),
    "a long id": lambda: moved() | {"eventID": "x" * 65},
    "no keys": lambda: without(moved(), "dynamodb", "Keys"),
    "a stream without old images": lambda: without(moved(), "dynamodb", "OldImage"),
    "a stream without new images": lambda: without(moved(), "dynamodb", "NewImage"),
    "no status date": lambda: without(moved(), "dynamodb", "NewImage", "status_date"),
    "no run": lambda: without(moved(), "dynamodb", "NewImage", "workflow_run_id"),
    "a status that nothing has": lambda: with_status({"S": "?"}),
    "a status of another type": lambda: with_status({"N": "7"}),
    "no status any more": lambda: with_status({"NULL": True}),
}


def test_what_cannot_be_read_is_named() -> None:
    with pytest.raises(UnreadableRecordError, match=r"^TASK#42 TI#003: ValueError: '\?' is not a valid"):
        event_of(with_status({"S": "?"}), "lockstep")


@pytest.mark.parametrize("made", UNREADABLE.values(), ids=UNREADABLE)
def test_a_bad_record_holds_no_other_up(
    made: Callable[[], Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observability, "NAMESPACE", "Lockstep")
    events = tell([moved(), made(), record(task("D"), task("R"))])
    assert [event["detail-type"] for event in events] == ["Task Instance Status Change", "Task Status Change"]
    assert json.loads(capsys.readouterr().out)["ChangesUnreadable"] == [1.0]


def test_what_can_be_read_is_not_logged(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """EventBridge counts events by itself, and each line costs."""
    monkeypatch.setattr(observability, "NAMESPACE", "Lockstep")
    assert len(tell([moved()])) == 1
    assert capsys.readouterr().out == ""


def test_a_bad_record_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr("lockstep.changes.tell.write_line", lambda _, **facts: lines.append(facts))
    bad = with_status({"S": "?" * 10_000})
    assert tell([bad]) == []
    [line] = lines
    [why] = line["why"]
    assert why.startswith("TASK#42 TI#003: ")
    assert len(why.encode()) <= MAX_LOGGED


def test_an_event_is_bounded() -> None:
    """A schema bounds each text, and the tables' reasons fit."""
    for model in EVENTS:
        schema = json.dumps(model.model_json_schema(by_alias=True))
        assert schema.count('"type": "string"') == sum(
            schema.count(bound) for bound in ('"maxLength"', '"enum"', '"const"')
        )
    reasons = [reason for *_, reason in (*VALID, *TASK_MOVES, *RUN_MOVES, *TAKEN_OVER, *DONE_AFTER_ALL)]
    reasons += [
        reason
        for source, target in product(WorkflowStatus, WorkflowStatus)
        if (reason := workflow_reason_of(source, target))
    ]
    assert max(map(len, reasons)) <= 200


def test_no_text_of_a_user_is_told() -> None:
    texts = {"nodename": "secret", "stdout": "secret", "distributor_id": "secret"}
    pairs = [
        (instance("D", **texts), instance("R", **texts)),
        (task("D", name="secret", command="secret"), task("R", name="secret", command="secret")),
        (run("D", user="secret", jobmon_version="secret"), run("R", user="secret", jobmon_version="secret")),
        (workflow("D", title="secret", user="secret"), workflow("R", title="secret", user="secret")),
    ]
    events = tell([record(new, old) for new, old in pairs])
    assert len(events) == 4
    assert "secret" not in json.dumps(events)
