"""Read workflow runs, and make writes depend on them."""

from collections.abc import Iterable

from pynamodb.expressions.condition import Condition

from lockstep.dynamodb.reads import fetch
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.workflow_run.item import WorkflowRun, run_id_of


def read_run(workflow_run_id: int, *, consistent: bool = False) -> WorkflowRun | None:
    """Read a run. Return None if it was not created here; instances of it may exist nevertheless."""
    key = WorkflowRun.key(workflow_run_id)
    raw = fetch([key], consistent=consistent).get(key)
    return WorkflowRun.from_raw_data(raw) if raw else None


def ended_among(workflow_run_ids: Iterable[int]) -> set[int]:
    """Read which of the runs have ended."""
    found = fetch(map(WorkflowRun.key, workflow_run_ids), consistent=True)
    return {run_id_of(key.pk) for key, raw in found.items() if WorkflowRunStatus(raw["status"]["S"]) in RUN_ENDED}


def is_in_or_unknown(statuses: Iterable[WorkflowRunStatus]) -> Condition:
    """Require that a run is in one of the statuses, or was not created here."""
    condition: Condition = WorkflowRun.status.is_in(*sorted(statuses)) | WorkflowRun.pk.does_not_exist()
    return condition
