"""A workflow as people see it: its specification, its newest runs, and its arrays with their tasks by status."""

from itertools import islice
from typing import Final, NamedTuple

from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import fetch, query
from lockstep.workflow.counts import Counts, count_tasks
from lockstep.workflow.item import Workflow, WorkflowAttribute, WorkflowSpec
from lockstep.workflow.read import newest_runs, not_there
from lockstep.workflow_run.item import WorkflowRun

MOST_RUNS: Final = 20
"""The runs that are shown, the newest."""
MOST_ARRAYS: Final = 500
"""The arrays that are shown, the first by id. All are counted."""
MOST_ATTRIBUTES: Final = 90
"""The attributes that are shown, the first by name: as many as one call notes."""


class Overview(NamedTuple):
    """A workflow with its specification, runs, arrays and counts."""

    workflow: Workflow
    spec: WorkflowSpec | None
    """None: nobody bound it."""
    attributes: dict[str, str | None]
    runs: dict[int, WorkflowRun]
    """Newest first."""
    counts: Counts


def look_at(workflow_id: int) -> Overview:
    """Read a workflow, by reads that may lag.

    Raises:
        NotFoundError: it does not exist.
    """
    keys = (Workflow.key(workflow_id), WorkflowSpec.key(workflow_id))
    found = fetch(keys, consistent=False)
    raw, spec = (found.get(key) for key in keys)
    if raw is None:
        raise not_there(workflow_id)
    workflow = Workflow.from_raw_data(raw)
    return Overview(
        workflow,
        WorkflowSpec.from_raw_data(spec) if spec else None,
        _attributes(workflow_id),
        _runs(workflow_id),
        count_tasks(workflow_id, workflow),
    )


def _attributes(workflow_id: int) -> dict[str, str | None]:
    named = Item.sk.startswith(WorkflowAttribute.PREFIX)
    found = list(islice(query(Workflow.key(workflow_id).pk, named, at_once=MOST_ATTRIBUTES), MOST_ATTRIBUTES))
    attributes = map(WorkflowAttribute.from_raw_data, found)
    return {attribute.name: attribute.value for attribute in attributes}


def _runs(workflow_id: int) -> dict[int, WorkflowRun]:
    ids = newest_runs(workflow_id, MOST_RUNS)
    found = fetch(map(WorkflowRun.key, ids), consistent=False)
    return {run: WorkflowRun.from_raw_data(found[key]) for run in ids if (key := WorkflowRun.key(run)) in found}
