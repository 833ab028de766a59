"""Workflow runs: create one, move it, store its client's heartbeat."""

from typing import Final

from pynamodb.expressions.update import Action

from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, fetch, reach
from lockstep.dynamodb.counters import allocate
from lockstep.errors import NotFoundError
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.fsm.workflow_run import DISTRIBUTED, sources
from lockstep.observability import move, refuse
from lockstep.workflow_run.item import WorkflowRun

_SAME_STATUS: Final = WorkflowRun.status.set(WorkflowRun.status | "")
"""For an update that changes nothing: it refers to no attribute that may not exist. The empty text is never stored."""


def create(workflow_id: int, user: str | None, jobmon_version: str | None, heartbeat_date: float) -> WorkflowRun:
    """Create a run of a workflow, in LINKING, so that its client may bind tasks at once."""
    [workflow_run_id] = allocate("workflow_run", 1)
    run = WorkflowRun(
        *WorkflowRun.key(workflow_run_id),
        status=WorkflowRunStatus.LINKING,
        status_date=now(),
        workflow_id=workflow_id,
        user=user,
        jobmon_version=jobmon_version,
        heartbeat_date=heartbeat_date,
    )
    reach(run.save)
    return run


def update_status(workflow_run_id: int, status: WorkflowRunStatus) -> WorkflowRunStatus:
    """Move a run if the move is valid, and return its current status.

    A distributor reports INSTANTIATED when it starts. If it replaces an earlier one, the run stores the time of this;
    poll.py says why.

    Raises:
        NotFoundError: the run does not exist.
    """
    stands = _move(workflow_run_id, status, [])
    if status is WorkflowRunStatus.INSTANTIATED and stands in DISTRIBUTED:
        reach(lambda: _run(workflow_run_id).update([WorkflowRun.restarted_at.set(now())]))
    return stands


def log_heartbeat(workflow_run_id: int, status: WorkflowRunStatus, heartbeat_date: float) -> WorkflowRunStatus:
    """Store when a run's client reports next, move the run if the move is valid, and return its current status.

    Raises:
        NotFoundError: the run does not exist.
    """
    run = _run(workflow_run_id)
    changes: list[Action] = [WorkflowRun.heartbeat_date.set(heartbeat_date)]
    stays = WorkflowRun.pk.exists()
    if may_come_from := sources(status):
        stays &= ~WorkflowRun.status.is_in(*sorted(may_come_from))
    try:
        reach(lambda: run.update(changes, stays))
    except ConditionFailedError:
        return _move(workflow_run_id, status, changes)
    return WorkflowRunStatus(run.status)


def read_run(workflow_run_id: int, *, consistent: bool = False) -> WorkflowRun | None:
    """Read a run. Return None if it was not created here; instances of it may exist nevertheless."""
    key = WorkflowRun.key(workflow_run_id)
    raw = fetch([key], consistent=consistent).get(key)
    return WorkflowRun.from_raw_data(raw) if raw else None


def _move(workflow_run_id: int, status: WorkflowRunStatus, changes: list[Action]) -> WorkflowRunStatus:
    """Move a run. This takes one write if the move is valid, otherwise two."""
    run = _run(workflow_run_id)
    moved: list[Action] = [WorkflowRun.status.set(status), WorkflowRun.status_date.set(now()), *changes]
    if may_come_from := sources(status):
        try:
            reach(lambda: run.update(moved, WorkflowRun.status.is_in(*sorted(may_come_from))))
        except ConditionFailedError:
            pass
        else:
            move(next(iter(may_come_from)).name if len(may_come_from) == 1 else None, status.name)
            return WorkflowRunStatus(run.status)
    try:
        reach(lambda: run.update(changes or [_SAME_STATUS], WorkflowRun.pk.exists()))
    except ConditionFailedError:
        raise NotFoundError(f"workflow run {workflow_run_id} does not exist") from None
    stays = WorkflowRunStatus(run.status)
    refuse("INVALID", f"{stays.name} never becomes {status.name}")
    return stays


def _run(workflow_run_id: int) -> WorkflowRun:
    return WorkflowRun(*WorkflowRun.key(workflow_run_id))
