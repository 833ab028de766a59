"""The earlier runs of a workflow whose instances a later run looks after."""

from lockstep.array.attention import is_left
from lockstep.dynamodb.client import reach, run_parallel
from lockstep.workflow.read import MOST_RUNS, newest_runs
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import read_run


def earlier_runs(workflow_run_id: int) -> list[int]:
    """Those of the newest runs of the same workflow that began earlier and left instances that have not ended."""
    run = read_run(workflow_run_id)
    if run is None:
        return []
    earlier = [number for number in newest_runs(run.workflow_id, MOST_RUNS) if number < workflow_run_id]
    return [number for number, left in zip(earlier, run_parallel(is_left, earlier), strict=True) if left]


def forget_earlier_runs(workflow_run_id: int) -> None:
    """Let a run look after its own instances only: all that earlier runs left has ended."""
    run = WorkflowRun(*WorkflowRun.key(workflow_run_id))
    reach(lambda: run.update([WorkflowRun.attention.remove(), WorkflowRun.workflow_run_id.remove()]))
