"""Everything that is stored, as the table has it and as the oracle has it."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from lockstep.text import unescape
from tests.verification.model.oracle import Oracle
from tests.verification.model.oracle.state import SAID, Task, Workflow

Items = Mapping[tuple[str, str], Mapping[str, Any]]
Picture = dict[tuple[str, int], Any]
"""By kind and number: a row, and what belongs to it (`errors` of an instance, `attributes` of a workflow)."""


class InstanceRow(NamedTuple):
    """A task instance, and what was said of it in the order of SAID."""

    status: str
    status_date: float
    report_by: float | None
    workflow_run_id: int
    array_id: int
    array_batch_num: int
    array_step_id: int
    task_resources_id: int
    said: tuple[Any, ...]


class TaskRow(NamedTuple):
    """A task and its specification."""

    status: str
    num_attempts: int
    max_attempts: int
    num_instances: int
    changed: str | None
    workflow_id: int
    array_id: int
    name: str
    command: str
    task_resources_id: int


class RunRow(NamedTuple):
    """A workflow run."""

    status: str
    status_date: float
    workflow_id: int
    user: str | None
    jobmon_version: str | None
    heartbeat_date: float
    restarted_at: float | None


class WorkflowRow(NamedTuple):
    """A workflow and its specification."""

    status: str
    status_date: float
    workflow_run_id: int | None
    created_date: float | None
    resume: str | None
    linked_since: float | None
    max_concurrently_running: int | None
    name: str | None
    description: str | None
    workflow_args: str | None


KINDS: Final[dict[str, tuple[str, Any]]] = {
    "TASK": ("task", TaskRow),
    "RUN": ("run", RunRow),
    "WORKFLOW": ("workflow", WorkflowRow),
}
"""By sort key: a kind, and its row, whose fields have the names of the stored attributes."""


class Reader:
    """Reads a table, and remembers what it has read of an item while the item stays the same."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}

    def item(self, key: tuple[str, str], raw: Mapping[str, Any]) -> dict[str, Any]:
        kept = self._read.get(key)
        if kept is None or kept[0] is not raw:
            kept = self._read[key] = raw, {name: _value(typed) for name, typed in raw.items()}
        return kept[1]

    def picture(self, items: Items) -> Picture:
        """Workflows, runs, arrays, tasks, instances, their error entries and attributes; resources."""
        shown: Picture = {}
        for (pk, sk), raw in items.items():
            item = self.item((pk, sk), raw)
            kind, _, number = pk.partition("#")
            if sk in KINDS:
                name, row = KINDS[sk]
                spec = self.item((pk, "SPEC"), items[pk, "SPEC"]) if (pk, "SPEC") in items else {}
                shown[name, int(number)] = row(*((spec | item).get(field) for field in row._fields))
            elif kind == "TASK" and sk.startswith("TI#"):
                self._add_attempt(shown, int(number) * 1000 + int(sk[3:6]), sk, item, items.get((pk, f"{sk}#LOG")))
            elif sk == "ARRAY":
                shown["array", int(number)] = [item["name"], item["max_concurrently_running"], item["num_batches"]]
            elif kind == "WORKFLOW" and sk.startswith("ATTRIBUTE#"):
                shown.setdefault(("attributes", int(number)), {})[sk.removeprefix("ATTRIBUTE#")] = item.get("value")
            elif sk == "RESOURCES":
                shown["resources", int(number)] = json.loads(item["requested_resources"])
        return shown

    def _add_attempt(
        self, shown: Picture, number: int, sk: str, item: dict[str, Any], log: Mapping[str, Any] | None
    ) -> None:
        if "#ERR#" in sk:
            shown.setdefault(("errors", number), {})[item["description"]] = item["error_time"]
        elif not sk.endswith("#LOG"):
            apart = {name: _value(typed) for name, typed in (log or {}).items()}
            said = tuple(item.get(name, apart.get(name)) for name in SAID)
            shown["instance", number] = InstanceRow._make([*map(item.get, InstanceRow._fields[:-1]), said])


def _value(typed: Mapping[str, Any]) -> Any:
    [(kind, content)] = typed.items()
    return float(content) if kind == "N" else unescape(content)


def expected(oracle: Oracle) -> Picture:
    """The same as the oracle has it."""
    shown: Picture = {}
    for i in oracle.instances.values():
        said = tuple(i.said[name] for name in SAID)
        shown["instance", i.id] = InstanceRow(i.status, i.since, i.report_by, i.run, *i.place, i.resources, said)
        if i.errors:
            shown["errors", i.id] = i.errors
    shown |= {("task", task.id): _task(task) for task in oracle.tasks.values()}
    shown |= {("array", number): array for number, array in oracle.named.items()}
    shown |= {("resources", number): requested for number, requested in oracle.resources.items()}
    for number, run in oracle.runs.items():
        row = RunRow(run.status, run.since, run.workflow, *run.client, run.heard, run.succeeded or None)
        shown["run", number] = row
    for number, workflow in oracle.workflows.items():
        shown["workflow", number] = _workflow(workflow)
        if workflow.attributes:
            shown["attributes", number] = workflow.attributes
    return shown


def _task(task: Task) -> TaskRow:
    workflow, row = task.bound
    changed = task.changed and f"{int(task.changed[0] * 1000):014d}#{task.changed[1]}"
    counts = task.status, task.attempts, row[6], task.made
    return TaskRow(*counts, changed, workflow, row[2], row[4], row[5], row[3])


def _workflow(workflow: Workflow) -> WorkflowRow:
    resumed = workflow.resume or None, workflow.linked_since
    held = workflow.status, workflow.since, workflow.holder, workflow.created, *resumed
    return WorkflowRow(*held, workflow.limit, *workflow.named, workflow.arguments)


def statuses(shown: Picture) -> dict[tuple[str, int], str]:
    """The status of each workflow, run, task and instance."""
    return {key: row.status for key, row in shown.items() if key[0] in {"instance", "task", "run", "workflow"}}


def differences(found: Picture, wanted: Picture) -> str:
    """What differs, a line each; empty if nothing does."""
    if found == wanted:
        return ""
    odd = [key for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)]
    return "\n".join(f"{key}: {found.get(key)} stands, {wanted.get(key)} should" for key in odd)
