"""Read workflows and their specifications."""

from itertools import islice
from typing import Final

from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import fetch, fetch_present, query
from lockstep.errors import NotFoundError
from lockstep.workflow.item import RunOfWorkflow, Workflow, WorkflowSpec

MOST_RUNS: Final = 50
"""The newest runs of a workflow that are looked at for what they left."""


def find_workflow(workflow_id: int, *, consistent: bool = True) -> Workflow | None:
    """Read a workflow; None if it does not exist."""
    key = Workflow.key(workflow_id)
    raw = fetch([key], consistent=consistent).get(key)
    return Workflow.from_raw_data(raw) if raw else None


def read_workflow(workflow_id: int, *, consistent: bool = True) -> Workflow:
    """Read a workflow.

    Raises:
        NotFoundError: it does not exist.
    """
    workflow = find_workflow(workflow_id, consistent=consistent)
    if workflow is None:
        raise not_there(workflow_id)
    return workflow


def read_spec(workflow_id: int) -> WorkflowSpec | None:
    """Read a workflow's specification; None if the workflow does not exist or was never bound."""
    key = WorkflowSpec.key(workflow_id)
    raw = fetch_present([key]).get(key)
    return WorkflowSpec.from_raw_data(raw) if raw else None


def newest_runs(workflow_id: int, most: int) -> list[int]:
    """The ids of a workflow's newest runs, newest first."""
    partition, runs = Workflow.key(workflow_id).pk, Item.sk.startswith(RunOfWorkflow.PREFIX)
    found = list(islice(query(partition, runs, consistent=True, newest=True, at_once=most), most))
    return [int(raw["sk"]["S"].removeprefix(RunOfWorkflow.PREFIX)) for raw in found]


def not_there(workflow_id: int) -> NotFoundError:
    """The error about a workflow that does not exist."""
    return NotFoundError(f"workflow {workflow_id} does not exist")
