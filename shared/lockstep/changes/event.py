"""Turn a record of the table's stream into an event: the item, its two statuses, the reason and the time.

docs/events.md is made from the models.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from lockstep.clock import iso
from lockstep.dynamodb.item import MAX_ID, Item, Key
from lockstep.fsm.reasons import reason_of, task_reason_of
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.fsm.workflow_run import run_reason_of, workflow_reason_of
from lockstep.items import kind_of
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun

S = TypeVar("S", bound=StrEnum)
Record = Mapping[str, Any]
"""A record of a DynamoDB stream with both images, in DynamoDB's JSON."""

_Id = Annotated[int, Field(ge=0, le=MAX_ID)]
_StatusName = Annotated[str, Field(max_length=32)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Detail(_Model, Generic[S]):
    """The facts of a move that every event has. No user wrote any of them."""

    stack: Annotated[str, Field(max_length=128)]
    """The stack's name."""
    source: S | None = Field(alias="from")
    """The letter of the status before the move. null: the item is new."""
    from_name: _StatusName | None
    """Its name."""
    target: S = Field(alias="to")
    """The letter of the status after the move."""
    to_name: _StatusName
    """Its name."""
    reason: Annotated[str, Field(max_length=200)] | None
    """The state machine's reason for the move. null: no move of the state machine leads there."""
    status_date: Annotated[str, Field(max_length=32)]
    """The time of the move: ISO 8601 in UTC, to the microsecond. EventBridge's own time has whole seconds."""
    change_id: Annotated[str, Field(min_length=1, max_length=64)]
    """The same in each event that tells of this move: DynamoDB's id of the record."""


class InstanceDetail(Detail[TaskInstanceStatus]):
    """A task instance moved."""

    task_instance_id: _Id
    task_id: _Id
    array_id: _Id
    workflow_run_id: _Id
    """Of an instance: the run that queued it."""


class TaskDetail(Detail[TaskStatus]):
    """A task moved."""

    task_id: _Id
    array_id: _Id
    workflow_id: _Id


class RunDetail(Detail[WorkflowRunStatus]):
    """A workflow run moved."""

    workflow_run_id: _Id
    workflow_id: _Id


class WorkflowDetail(Detail[WorkflowStatus]):
    """A workflow moved."""

    workflow_id: _Id
    workflow_run_id: _Id | None
    """Of a workflow: the run that holds it, or held it until this move. null: no run does."""


class Event(_Model):
    """An event as it is put on EventBridge."""

    source: Literal["lockstep"] = "lockstep"
    detail_type: str = Field(alias="detail-type")
    time: Annotated[str, Field(max_length=32)]
    """detail.status_date."""


class InstanceEvent(Event):
    """A task instance moved, or is new."""

    detail_type: Literal["Task Instance Status Change"] = Field("Task Instance Status Change", alias="detail-type")
    detail: InstanceDetail


class TaskEvent(Event):
    """A task moved, or is new."""

    detail_type: Literal["Task Status Change"] = Field("Task Status Change", alias="detail-type")
    detail: TaskDetail


class RunEvent(Event):
    """A workflow run moved, or is new."""

    detail_type: Literal["Workflow Run Status Change"] = Field("Workflow Run Status Change", alias="detail-type")
    detail: RunDetail


class WorkflowEvent(Event):
    """A workflow moved, or is new."""

    detail_type: Literal["Workflow Status Change"] = Field("Workflow Status Change", alias="detail-type")
    detail: WorkflowDetail


EVENTS: Final = (InstanceEvent, TaskEvent, RunEvent, WorkflowEvent)
AnyEvent = InstanceEvent | TaskEvent | RunEvent | WorkflowEvent


class UnreadableRecordError(Exception):
    """A record is not as the table's stream has them. The message names its key and says what is wrong."""


def event_of(record: Record, stack: str) -> AnyEvent | None:
    """The event that tells of a record's move. None: it is of another kind of item, or nothing moved.

    stack: the stack's name.

    Raises:
        UnreadableRecordError: it cannot be told whether something moved, or what.
    """
    try:
        return _event(record, stack)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"{_named(record)}: {type(error).__name__}: {error}") from error


def _event(record: Record, stack: str) -> AnyEvent | None:
    name = record["eventName"]
    if name == "REMOVE":
        return None
    if name not in {"INSERT", "MODIFY"}:
        raise ValueError(f"{name!r} is no eventName")
    stream = record["dynamodb"]
    kind = kind_of(Key(stream["Keys"]["pk"]["S"], stream["Keys"]["sk"]["S"]))
    if kind is None or kind.model not in _EVENTS:
        return None
    new: Any = kind.model.from_raw_data(stream["NewImage"])
    old: Any = kind.model.from_raw_data(stream["OldImage"]) if name == "MODIFY" else None
    if old and old.status == new.status:
        return None
    at = iso(new.status_date)
    common = {"stack": stack, "change_id": record["eventID"], "status_date": at}
    made, detail = _EVENTS[kind.model]
    return made.model_validate({"time": at, "detail": common | detail(kind.ids, old, new)})


def _instance(ids: tuple[int, ...], old: TaskInstance | None, new: TaskInstance) -> dict[str, Any]:
    source, target = TaskInstanceStatus(old.status) if old else None, TaskInstanceStatus(new.status)
    key = InstanceKey(*ids)
    return _moved(source, target, reason_of(source, target)) | {
        "task_instance_id": key.id,
        "task_id": key.task_id,
        "array_id": new.array_id,
        "workflow_run_id": new.workflow_run_id,
    }


def _task(ids: tuple[int, ...], old: Task | None, new: Task) -> dict[str, Any]:
    source, target = TaskStatus(old.status) if old else None, TaskStatus(new.status)
    reason = task_reason_of(source, target, fresh=new.num_attempts == 0)
    return _moved(source, target, reason) | {
        "task_id": ids[0],
        "array_id": new.array_id,
        "workflow_id": new.workflow_id,
    }


def _run(ids: tuple[int, ...], old: WorkflowRun | None, new: WorkflowRun) -> dict[str, Any]:
    source, target = WorkflowRunStatus(old.status) if old else None, WorkflowRunStatus(new.status)
    return _moved(source, target, run_reason_of(source, target)) | {
        "workflow_run_id": ids[0],
        "workflow_id": new.workflow_id,
    }


def _workflow(ids: tuple[int, ...], old: Workflow | None, new: Workflow) -> dict[str, Any]:
    source, target = WorkflowStatus(old.status) if old else None, WorkflowStatus(new.status)
    return _moved(source, target, workflow_reason_of(source, target)) | {
        "workflow_id": ids[0],
        "workflow_run_id": new.workflow_run_id or (old.workflow_run_id if old else None),
    }


_EVENTS: Final[dict[type[Item], tuple[type[AnyEvent], Callable[..., dict[str, Any]]]]] = {
    TaskInstance: (InstanceEvent, _instance),
    Task: (TaskEvent, _task),
    WorkflowRun: (RunEvent, _run),
    Workflow: (WorkflowEvent, _workflow),
}


def _moved(source: StrEnum | None, target: StrEnum, reason: str | None) -> dict[str, str | None]:
    return {
        "from": source,
        "from_name": source.name if source else None,
        "to": target,
        "to_name": target.name,
        "reason": reason,
    }


def _named(record: Record) -> str:
    """The item's key, as far as the record has one."""
    try:
        keys = record["dynamodb"]["Keys"]
        return f"{keys['pk']['S']} {keys['sk']['S']}"
    except (LookupError, TypeError):
        return "a record without a key"
