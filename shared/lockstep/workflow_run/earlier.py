"""The earlier runs of a workflow whose instances a later run looks after.

A run that was linked after a resume has the attention `J#`. Its sweep finds that in the run index, and looks at the
newest MOST_RUNS runs; without an attention, it looks at the run's own instances alone.

An index lags, and a query may miss an entry that moves. So a run that finds nothing notes the time first. It forgets
the earlier runs if it still finds nothing later on.
"""

from typing import Final

from pynamodb.expressions.update import Action

from lockstep.array.item import EARLIER_RUNS, due_key
from lockstep.array.run_index import is_left
from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, update
from lockstep.dynamodb.parallel import run_parallel
from lockstep.workflow.read import MOST_RUNS, newest_runs
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import read_run

SURE_AFTER_SECONDS: Final = 60.0
"""How long after a sweep that found nothing another one must find nothing, so that nothing is left."""


def earlier_runs(workflow_run_id: int) -> list[int]:
    """Those of the newest runs of the same workflow that began earlier and left instances that have not ended.

    Where there are none, the run notes it, or looks after its own instances only from now on.
    """
    run = read_run(workflow_run_id, consistent=True)
    if run is None or run.attention is None:
        return []
    earlier = [number for number in newest_runs(run.workflow_id, MOST_RUNS) if number < workflow_run_id]
    found = [number for number, left in zip(earlier, run_parallel(is_left, earlier), strict=True) if left]
    if changes := _changes(nothing_since(run.attention), found=bool(found)):
        try:
            update(WorkflowRun.key(workflow_run_id), changes, WorkflowRun.attention == run.attention)
        except ConditionFailedError:
            return found  # another sweep has noted what it found
    return found


def nothing_since(attention: str) -> float | None:
    """Since when sweeps have found nothing of earlier runs; None if the last one found something, or none has looked.

    >>> nothing_since("J#00000000001500"), nothing_since("J#")
    (1.5, None)
    """
    since = attention.removeprefix(EARLIER_RUNS)
    return int(since) / 1000 if since else None


def _changes(since: float | None, *, found: bool) -> list[Action]:
    """What a sweep changes of its run by what it found and what the ones before it did."""
    at = now()
    if found:
        return [] if since is None else [WorkflowRun.attention.set(EARLIER_RUNS)]
    if since is None:
        return [WorkflowRun.attention.set(due_key(EARLIER_RUNS, at))]
    if at < since + SURE_AFTER_SECONDS:
        return []
    return [WorkflowRun.attention.remove(), WorkflowRun.workflow_run_id.remove()]
