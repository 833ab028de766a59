"""Read workflow runs."""

from lockstep.dynamodb.client import fetch
from lockstep.workflow_run.item import WorkflowRun


def read_run(workflow_run_id: int, *, consistent: bool = False) -> WorkflowRun | None:
    """Read a run. Return None if it was not created here; instances of it may exist nevertheless."""
    key = WorkflowRun.key(workflow_run_id)
    raw = fetch([key], consistent=consistent).get(key)
    return WorkflowRun.from_raw_data(raw) if raw else None
