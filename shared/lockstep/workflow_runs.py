"""Workflow runs: making one, moving it, and hearing that its client is alive."""

from pynamodb.expressions.update import Action

from lockstep import keys
from lockstep.binding import allocate
from lockstep.clock import Deadline, now
from lockstep.errors import NotFoundError
from lockstep.items import WorkflowRun
from lockstep.run_transitions import DISTRIBUTED, sources
from lockstep.statuses import WorkflowRunStatus
from lockstep.table import ConditionFailedError, Key, fetch, reach


def create(workflow_id: int, user: str | None, jobmon_version: str | None, heartbeat_date: float) -> WorkflowRun:
    """A new run of a workflow. It has claimed the workflow: its client may bind tasks at once."""
    deadline = Deadline()
    [workflow_run_id] = allocate("workflow_run", 1, deadline)
    run = WorkflowRun(
        keys.run(workflow_run_id),
        keys.RUN,
        status=WorkflowRunStatus.LINKING,
        status_date=now(),
        workflow_id=workflow_id,
        user=user,
        jobmon_version=jobmon_version,
        heartbeat_date=heartbeat_date,
    )
    reach(run.save, deadline)
    return run


def update_status(workflow_run_id: int, status: WorkflowRunStatus) -> WorkflowRunStatus:
    """Move a run if it may make that move, and answer the status that stands.

    A distributor says INSTANTIATED as it begins. Where an earlier one was up, the run remembers when its successor
    came: see syncing.py.

    Raises:
        NotFoundError: there is no such run.
    """
    deadline = Deadline()
    stands = _move(workflow_run_id, status, [], deadline)
    if status is WorkflowRunStatus.INSTANTIATED and stands in DISTRIBUTED:
        reach(lambda: _run(workflow_run_id).update([WorkflowRun.restarted_at.set(now())]), deadline)
    return stands


def log_heartbeat(workflow_run_id: int, status: WorkflowRunStatus, heartbeat_date: float) -> WorkflowRunStatus:
    """Store when a run's client will be heard of again, move the run if it may, and answer the status that stands.

    Raises:
        NotFoundError: there is no such run.
    """
    deadline, run = Deadline(), _run(workflow_run_id)
    changes: list[Action] = [WorkflowRun.heartbeat_date.set(heartbeat_date)]
    stays = WorkflowRun.pk.exists()
    if may_come_from := sources(status):
        stays &= ~WorkflowRun.status.is_in(*sorted(may_come_from))
    try:
        reach(lambda: run.update(changes, stays), deadline)
    except ConditionFailedError:
        return _move(workflow_run_id, status, changes, deadline)
    return WorkflowRunStatus(run.status)


def read_run(workflow_run_id: int, deadline: Deadline, *, consistent: bool = False) -> WorkflowRun | None:
    """A run; None where Lockstep has heard only of its instances. A read that is not consistent may lag behind."""
    key = Key(keys.run(workflow_run_id), keys.RUN)
    raw = fetch([key], deadline, consistent=consistent).get(key)
    return WorkflowRun.from_raw_data(raw) if raw else None


def _move(
    workflow_run_id: int, status: WorkflowRunStatus, changes: list[Action], deadline: Deadline
) -> WorkflowRunStatus:
    """One write if the run makes the move."""
    run = _run(workflow_run_id)
    moved: list[Action] = [WorkflowRun.status.set(status), WorkflowRun.status_date.set(now()), *changes]
    if may_come_from := sources(status):
        try:
            reach(lambda: run.update(moved, WorkflowRun.status.is_in(*sorted(may_come_from))), deadline)
        except ConditionFailedError:
            pass
        else:
            return WorkflowRunStatus(run.status)
    try:
        reach(
            lambda: run.update(changes or [WorkflowRun.status.set(WorkflowRun.status)], WorkflowRun.pk.exists()),
            deadline,
        )
    except ConditionFailedError:
        raise NotFoundError(f"workflow run {workflow_run_id} does not exist") from None
    return WorkflowRunStatus(run.status)


def _run(workflow_run_id: int) -> WorkflowRun:
    return WorkflowRun(keys.run(workflow_run_id), keys.RUN)
