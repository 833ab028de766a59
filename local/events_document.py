"""Generate the tables of docs/events.md, and docs/events.schema.json, from the events' models."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from local.prices import DURATION, EVENT, INVOCATION, MILLION, PIPE
from local.tables import Tables, table
from lockstep.changes.event import AnyEvent, InstanceDetail, RunDetail, TaskDetail, WorkflowDetail, event_of
from lockstep.dynamodb.item import Item
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun

A_LIFE: Final = 11
"""Events of a task that never fails: 6 of its own, 5 of its attempt. tests/system/test_events.py counts them."""
BATCH: Final = 10
"""Records that the pipe hands on at once, at most."""
_MS_A_RECORD: Final = 0.7
"""Milliseconds for a record with 512 MB: 0.2 of a whole vCPU, which comes with 1,769 MB."""
_GB: Final = 0.5
_TASK: Final = 1_000_000_001
_AT: Final = 1_764_072_011.482913


def record(
    new: Item | None, old: Item | None = None, change: str = "4b25bd0f6ee9c4e8a1b1d8a4f9a4d5c7"
) -> dict[str, Any]:
    """Return the stream's record of a write: what is there now, and what was there before."""
    images = {"NewImage": new, "OldImage": old}
    shown = {name: item.serialize(null_check=False) for name, item in images.items() if item}
    some = next(iter(shown.values()))
    return {
        "eventID": change,
        "eventName": "REMOVE" if new is None else "MODIFY" if old else "INSERT",
        "dynamodb": {"Keys": {name: some[name] for name in ("pk", "sk")}} | shown,
    }


def _examples() -> Iterator[dict[str, Any]]:
    """One of each kind: an attempt fails, its task with it, their run, and the workflow."""
    key = TaskInstance.key(InstanceKey(_TASK, 3))
    instance: dict[str, Any] = {"status_date": _AT, "array_id": 1001, "workflow_run_id": 1007}
    task: dict[str, Any] = {"status_date": _AT, "num_attempts": 3, "array_id": 1001, "workflow_id": 1001}
    run, workflow = WorkflowRun.key(1007), Workflow.key(1001)
    ended: dict[str, Any] = {"status_date": _AT + 31.5}
    yield record(TaskInstance(*key, status="E", **instance), TaskInstance(*key, status="R", **instance))
    yield record(Task(*Task.key(_TASK), status="F", **task), Task(*Task.key(_TASK), status="R", **task))
    yield record(
        WorkflowRun(*run, status="E", workflow_id=1001, **ended),
        WorkflowRun(*run, status="R", workflow_id=1001, **ended),
    )
    yield record(
        Workflow(*workflow, status="F", **ended), Workflow(*workflow, status="R", workflow_run_id=1007, **ended)
    )


def examples() -> Iterator[str]:
    """Yield an example of each kind of event."""
    for number, each in enumerate(_examples()):
        event = event_of(each | {"eventID": f"{number:032x}"}, "lockstep")
        assert event
        yield f"**{event.detail_type}**: {event.__doc__}"
        yield ""
        yield "```json"
        yield json.dumps(event.model_dump(mode="json", by_alias=True), indent=2)
        yield "```"
        yield ""


def fields() -> Iterator[str]:
    """Yield the table of the fields of `detail`."""
    kinds: dict[str, type[BaseModel]] = {
        "Task Instance": InstanceDetail,
        "Task": TaskDetail,
        "Workflow Run": RunDetail,
        "Workflow": WorkflowDetail,
    }
    told: dict[str, list[str]] = {}
    holds: dict[str, list[str]] = {}
    for kind, detail in kinds.items():
        for name, field in detail.model_fields.items():
            told.setdefault(field.alias or name, []).append(kind)
            if field.description not in (found := holds.setdefault(field.alias or name, [])) and field.description:
                found.append(field.description)
    rows = (
        (f"`{name}`", "all" if len(of) == len(kinds) else ", ".join(of), " ".join(holds[name]))
        for name, of in told.items()
    )
    return table(("field of `detail`", "of", "holds"), rows)


def price() -> Iterator[str]:
    """Yield what the events of a million tasks cost."""
    most, least = A_LIFE, A_LIFE / BATCH
    seconds = [calls * max(1, round(_MS_A_RECORD * A_LIFE / calls)) / 1000 for calls in (least, most)]
    calls = [calls * INVOCATION.dollars for calls in (least, most)]
    time = [each * _GB * DURATION.dollars * MILLION for each in seconds]
    fixed = A_LIFE * (PIPE.dollars + EVENT.dollars)
    return table(
        (f"a million tasks that never fail, {A_LIFE} events each", "dollars >"),
        (
            ("the stream: a pipe reads it for nothing", "0.00"),
            ("the pipe", f"{A_LIFE * PIPE.dollars:.2f}"),
            (f"Lambda, requests: {BATCH} records in each, or one", f"{calls[0]:.2f} to {calls[1]:.2f}"),
            ("Lambda, time", f"{min(time):.2f} to {max(time):.2f}"),
            ("the event bus", f"{A_LIFE * EVENT.dollars:.2f}"),
            ("**together**", f"**{fixed + calls[0] + min(time):.2f} to {fixed + calls[1] + max(time):.2f}**"),
        ),
    )


def schema() -> str:
    """Make docs/events.schema.json."""
    adapter: TypeAdapter[Any] = TypeAdapter(AnyEvent)
    made = adapter.json_schema(by_alias=True, mode="serialization")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A change in Lockstep"}
    return json.dumps(dialect | made, indent=2) + "\n"


TABLES: Final[Tables] = {"examples": examples, "fields": fields, "price": price}
