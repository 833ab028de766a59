"""Take a workflow over: ask the run that holds it to end, and free the workflow of a run whose client is gone."""

from typing import Final, NamedTuple

from lockstep.array.run_index import MOST_INDEXED, flagged
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import KILLED
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.workflow_run import GIVEN_UP, RUN_ENDED, TAKEN_OVER
from lockstep.observability import record_refusal
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import transit_many
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import MOST_RUNS, find_workflow, newest_runs, read_workflow
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.leftovers import NOTHING, note_resume, pending, stop_leftovers
from lockstep.workflow_run.lifecycle import move_run
from lockstep.workflow_run.read import read_run
from lockstep.workflow_run.terminate import stop

Run = WorkflowRunStatus
TI = TaskInstanceStatus

_CLEANED_UP: Final = (
    "Force cleanup: User requested resume while KILL_SELF pending. "
    "Jobs may have been externally terminated (scancel, node failure)."
)
"""What Jobmon's server writes to an instance's error log."""
ENDED_AT_ONCE: Final = 1_000
"""The instances that a cleanup ends before it looks at the time."""
READ_AT_ONCE: Final = 1_000
"""The instances in KILL_SELF that are read before a call looks at the time."""
_ENOUGH_COUNTED: Final = 0.7
"""The share of the time after which no more instances in KILL_SELF are read."""
_ENOUGH: Final = 0.6
"""The share of the time after which a cleanup ends no others."""


def free(workflow_run_id: int) -> WorkflowRun | None:
    """End a run whose client has not reported in time. Return the run if it goes on.

    Of a run that ends for a resume, what it left is stopped first: a worker node that still runs hears it at its next
    heartbeat. Its instances in KILL_SELF do not hold it up: a worker node that is gone never answers. If its client
    reports meanwhile, it goes on.

    Raises:
        UnavailableError: not all of its instances are stopped; the same call again stops the rest.
    """
    while run := read_run(workflow_run_id, consistent=True):
        looked_at = _end_if_late(run, workflow_run_id)
        if looked_at.decided:
            return looked_at.goes_on
    return None


class _LookedAt(NamedTuple):
    """What became of a run whose client may be late."""

    goes_on: WorkflowRun | None
    decided: bool = True
    """False: the run has moved meanwhile, or its client has reported."""


def _end_if_late(run: WorkflowRun, workflow_run_id: int) -> _LookedAt:
    if Run(run.status) in RUN_ENDED:
        return _LookedAt(None)
    if run.heartbeat_date is None or run.heartbeat_date >= now():
        return _LookedAt(run)
    target = GIVEN_UP[Run(run.status)]
    if target is Run.TERMINATED:
        stop(workflow_run_id, hot=run.status == Run.HOT_RESUME)
    silent = WorkflowRun.heartbeat_date == run.heartbeat_date
    return _LookedAt(None, decided=move_run(run, workflow_run_id, target, [], silent))


def set_resume(workflow_id: int, *, cold: bool) -> None:
    """Ask the run that holds a workflow to end, so that another one may begin. Repeating it changes nothing.

    The workflow notes the request: is_resumable stops what earlier runs left (leftovers.py). The note comes last: who
    finds it finds the run asked to end.

    cold: running instances must stop; otherwise they may go on. A later call never changes one into the other for the
    run that ends.
    """
    workflow = find_workflow(workflow_id)
    if workflow is None:
        record_refusal(f"no workflow {workflow_id} exists")
        return
    target = Run.COLD_RESUME if cold else Run.HOT_RESUME
    if workflow.workflow_run_id:
        _ask_to_end(workflow.workflow_run_id, target)
    note_resume(workflow_id, target)


def _ask_to_end(workflow_run_id: int, target: WorkflowRunStatus) -> None:
    may_come_from = {transition.source for transition in TAKEN_OVER if transition.target is target}
    while run := read_run(workflow_run_id, consistent=True):
        if run.status in may_come_from:
            if not move_run(run, workflow_run_id, target, []):
                continue
            run.status = target
        elif run.status != target:
            record_refusal(f"{Run(run.status).name} never becomes {target.name}")
        if _end_if_late(run, workflow_run_id).decided:
            return


def is_linkable(workflow: Workflow) -> bool:
    """Whether another run may be linked: all tasks are bound, and none goes on that holds the workflow (free).

    Raises:
        UnavailableError: what a lapsed run left is not stopped yet.
    """
    goes_on = workflow.workflow_run_id and free(workflow.workflow_run_id)
    return workflow.created_date is not None and not goes_on


class Resumable(NamedTuple):
    """Whether another run may be linked, and the instances that have still to hear that they must stop."""

    resumable: bool
    """Another run may be linked, and no worker node runs what must stop."""
    pending: int


def resumable(workflow_id: int) -> Resumable:
    """Whether another run of a workflow may be linked. A run whose client has not reported in time ends here.

    Once a resume was asked for, what ended runs left is stopped first. An instance in KILL_SELF counts as pending while
    its worker node may still report: until report_by has passed. One that a worker node has claimed may still run. What
    there is no time for counts as pending; as running too, unless a resume was asked for, which has looked at it.

    Raises:
        NotFoundError: the workflow does not exist.
        UnavailableError: what ended runs left is not stopped yet; the same call again stops the rest.
    """
    workflow = read_workflow(workflow_id)
    linkable = is_linkable(workflow)
    left = stop_leftovers(workflow_id, workflow) if linkable else NOTHING
    in_kill_self = dict(left.in_kill_self)
    unread = {*_in_kill_self(workflow_id), *left.told} - in_kill_self.keys()
    for some in chunks(sorted(unread), READ_AT_ONCE):
        in_kill_self |= pending(read_instances(some, consistent=True))
        unread -= set(some)
        if deadline().spent(_ENOUGH_COUNTED):
            break
    looked_at = bool(workflow.resume)  # by stop_leftovers, which finds all that a resume must wait for
    may_run = left.may_run or (bool(unread) and not looked_at) or any(each.may_run for each in in_kill_self.values())
    return Resumable(linkable and not may_run, sum(each.may_report for each in in_kill_self.values()) + len(unread))


class Cleaned(NamedTuple):
    """How many instances and runs were ended."""

    instances: int
    runs: int


def force_cleanup(workflow_id: int) -> Cleaned:
    """End a workflow's instances in KILL_SELF, each with an error entry, and the run that ends for a resume.

    Raises:
        UnavailableError: some are ended; the same call again ends the rest.
    """
    runs = int(_end_for_resume(workflow_id))
    why = ReportedFields(error=_CLEANED_UP)
    left = _in_kill_self(workflow_id)
    ended = 0
    for number, some in enumerate(chunks(left, ENDED_AT_ONCE)):
        if number and deadline().spent(_ENOUGH):
            raise UnavailableError(f"{ended} instances were ended; send it again for the rest")
        outcomes = transit_many(Report(key, KILLED, on_move=why) for key in some)
        ended += sum(outcome.moved for outcome in outcomes if outcome)
    if len(left) >= MOST_INDEXED:
        raise UnavailableError(f"{ended} instances were ended; send it again for others that may be left")
    return Cleaned(ended, runs)


def _end_for_resume(workflow_id: int) -> bool:
    workflow = find_workflow(workflow_id)
    if workflow is None or not workflow.workflow_run_id:
        return False
    run = read_run(workflow.workflow_run_id, consistent=True)
    if run is None or Run(run.status) not in {Run.COLD_RESUME, Run.HOT_RESUME}:
        return False
    stop(workflow.workflow_run_id, hot=run.status == Run.HOT_RESUME)
    return move_run(run, workflow.workflow_run_id, Run.TERMINATED, [])


def _in_kill_self(workflow_id: int) -> list[InstanceKey]:
    runs = newest_runs(workflow_id, MOST_RUNS)
    return [key for keys in run_parallel(lambda run: flagged(run, TI.KILL_SELF), runs) for key in keys]
