"""Workflow runs: move one with its workflow, store its client's heartbeat."""

from functools import partial
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, reach, transact
from lockstep.dynamodb.item import RawItem
from lockstep.errors import ContentionError, NotFoundError
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.fsm.workflow_run import DISTRIBUTED, DONE_AFTER_ALL, RUN_ENDED, followed_by, sources
from lockstep.observability import record_move, record_refusal
from lockstep.workflow.item import Workflow
from lockstep.workflow.left import all_done
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.last_look import look_once_more
from lockstep.workflow_run.read import read_run
from lockstep.workflow_run.terminate import stop

Run = WorkflowRunStatus

_DONE_AFTER_ALL: Final = frozenset(transition.source for transition in DONE_AFTER_ALL)
_STATUSES: Final = {str(status): status for status in Run}


def update_status(workflow_run_id: int, status: str) -> WorkflowRunStatus:
    """Move a run and its workflow if the move is valid, and return the run's current status.

    status: where it shall go. To one that no run has it does not move, as with every move that is not in the table.

    A distributor reports INSTANTIATED when it starts. If it replaces an earlier one, the run stores the time of this;
    poll.py says why. A run that ends for a resume leaves nothing that may still start: its instances are stopped first.

    Raises:
        NotFoundError: the run does not exist.
        UnavailableError: not all of its instances are stopped; the same call again stops the rest.
        ContentionError: others kept moving the run until the deadline.
    """
    stands = _move(workflow_run_id, status, [])
    if status == Run.INSTANTIATED and stands in DISTRIBUTED:
        reach(lambda: _run(workflow_run_id).update([WorkflowRun.restarted_at.set(now())]))
    return stands


def log_heartbeat(workflow_run_id: int, status: str, heartbeat_date: float) -> WorkflowRunStatus:
    """Store when a run's client reports next, move the run if the move is valid, and return its current status.

    Raises:
        NotFoundError: the run does not exist.
        ContentionError: others kept moving the run until the deadline.
    """
    run = _run(workflow_run_id)
    changes: list[Action] = [WorkflowRun.heartbeat_date.set(heartbeat_date)]
    stays = WorkflowRun.pk.exists()
    if may_come_from := sources(status) | (_DONE_AFTER_ALL if status == Run.DONE else frozenset()):
        stays &= ~WorkflowRun.status.is_in(*sorted(may_come_from))
    try:
        reach(lambda: run.update(changes, stays))
    except ConditionFailedError:
        return _move(workflow_run_id, status, changes)
    stands = Run(run.status)
    if stands != status:
        _record_refused_move(stands, status)
    return stands


def _move(workflow_run_id: int, status: str, changes: list[Action]) -> WorkflowRunStatus:
    """Move a run if it may make that move, with its workflow, and store the changes whether it does or not."""
    while True:
        run = read_run(workflow_run_id, consistent=True)
        if run is None:
            raise NotFoundError(f"workflow run {workflow_run_id} does not exist")
        source = Run(run.status)
        target = _STATUSES.get(status)
        if target is None or not _may_move(run, target):
            if changes:
                reach(partial(_run(workflow_run_id).update, changes))
            _record_refused_move(source, status)
            return source
        if target is Run.TERMINATED:
            stop(workflow_run_id, hot=source is Run.HOT_RESUME)
        if move_run(run, workflow_run_id, target, changes):
            if target in RUN_ENDED:
                look_once_more(workflow_run_id)
            return target
        if deadline().passed():
            raise ContentionError(f"others kept moving workflow run {workflow_run_id}; send it again")


def _record_refused_move(source: WorkflowRunStatus, status: str) -> None:
    target = _STATUSES.get(status)
    record_refusal(f"{source.name} never becomes {target.name if target else repr(status)}")


def _may_move(run: WorkflowRun, target: WorkflowRunStatus) -> bool:
    source = Run(run.status)
    if target is Run.DONE and source in _DONE_AFTER_ALL:
        return all_done(run.workflow_id)
    return source in sources(target)


def move_run(
    run: WorkflowRun,
    workflow_run_id: int,
    target: WorkflowRunStatus,
    changes: list[Action],
    condition: Condition | None = None,
) -> bool:
    """Move a run as it was read, and the workflow that it holds, in one transaction. False: it has moved meanwhile.

    condition: what must hold of the run besides.

    The workflow goes where WORKFLOW_FOLLOWS says. Where a person has moved it meanwhile, or another run holds it, it
    stays. A run that has ended holds it no more.
    """
    source = Run(run.status)
    unmoved = WorkflowRun.status == run.status
    moved = _Moved(
        _run(workflow_run_id),
        [WorkflowRun.status.set(target), WorkflowRun.status_date.set(now()), *changes],
        unmoved if condition is None else unmoved & condition,
    )
    for workflow_changes, held in _of_workflow(workflow_run_id, target):
        build = partial(_add_move, moved, run.workflow_id, workflow_changes, held)
        try:
            transact(build)
        except ConditionFailedError as failed:
            if failed.found[0] is not None:
                return False
            if not _holds(failed.found[1], workflow_run_id):
                break
        else:
            record_move(source.name, target.name)
            return True
    try:
        reach(partial(moved.run.update, moved.changes, moved.condition))
    except ConditionFailedError:
        return False
    record_move(source.name, target.name)
    return True


class _Moved(NamedTuple):
    """A run's move, and what must hold of it."""

    run: WorkflowRun
    changes: list[Action]
    condition: Condition


def _holds(workflow: RawItem | None, workflow_run_id: int) -> bool:
    return Workflow.from_raw_data(workflow or {}).workflow_run_id == workflow_run_id


def _add_move(
    moved: _Moved, workflow_id: int, workflow_changes: list[Action], held: Condition, transaction: TransactWrite
) -> None:
    transaction.update(moved.run, moved.changes, moved.condition, return_values="ALL_OLD")
    transaction.update(Workflow(*Workflow.key(workflow_id)), workflow_changes, held, return_values="ALL_OLD")


def _of_workflow(workflow_run_id: int, target: WorkflowRunStatus) -> list[tuple[list[Action], Condition]]:
    """What becomes of the workflow that the run holds, the usual first: it follows; it stays but is held no more."""
    held = Workflow.workflow_run_id == workflow_run_id
    let_go: list[Action] = [Workflow.workflow_run_id.remove()] if target in RUN_ENDED else []
    ways: list[tuple[list[Action], Condition]] = []
    if follow := followed_by(target):
        follows: list[Action] = [Workflow.status.set(follow.workflow), Workflow.status_date.set(now()), *let_go]
        ways.append((follows, held & Workflow.status.is_in(*sorted(follow.sources))))
    if let_go:
        ways.append((let_go, held))
    return ways


def _run(workflow_run_id: int) -> WorkflowRun:
    return WorkflowRun(*WorkflowRun.key(workflow_run_id))
