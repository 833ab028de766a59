"""Stop the instances of a workflow run for a resume."""

from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, NamedTuple

from lockstep.array.attention import Part, Seen, in_groups, in_parts, remember, unended_batches
from lockstep.context import deadline
from lockstep.dynamodb.client import run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ABANDONED, stopped_by_resume, terminate
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import transit_many
from lockstep.workflow_run.read import read_run

_WHY: Final = {
    status: f"Workflow resume requested. Setting to ERROR_FATAL from status: {status} (no worker to clean up)"
    if status in (TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED)
    else f"Workflow resume requested. Setting to KILL_SELF from status: {status}"
    for status in stopped_by_resume(hot=False)
}
"""What Jobmon's server writes to the error log of an instance in a status."""
_SILENT: Final = frozenset({TaskInstanceStatus.TRIAGING, TaskInstanceStatus.NO_HEARTBEAT})
"""A worker node in one of these is silent: nobody can tell it to stop."""
_LEAVES_RUNNING: Final = {WorkflowRunStatus.HOT_RESUME, WorkflowRunStatus.TERMINATED}
"""The statuses of runs whose running instances stay. A TERMINATED run has stopped what a cold resume stops; a call that
comes late, or twice at once, must not stop what a hot one left.
"""
_ENOUGH: Final = 0.6
"""The share of the time after which a call begins no other group of parts."""


def terminate_task_instances(workflow_run_id: int) -> int:
    """Stop the instances of a run that ends for a resume, and return how many this call stopped.

    A call that comes after the run has ended for a resume leaves instances in RUNNING alone, as in a hot one.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    run = read_run(workflow_run_id, consistent=True)
    return stop(workflow_run_id, hot=run is not None and run.status in _LEAVES_RUNNING).instances


class Stopped(NamedTuple):
    """What a call stopped."""

    instances: int
    """How many it stopped."""
    in_kill_self: list[InstanceKey]
    """Those that are in KILL_SELF now, whoever put them there."""


def stop(workflow_run_id: int, *, hot: bool, fail_silent: bool = False) -> Stopped:
    """Stop a run's instances, each with an error entry that says why.

    hot: as the caller found the run. Once another caller has ended it, its status no longer says how it was resumed.

    An instance that no worker node runs yet ends in ERROR_FATAL. One that may run moves to KILL_SELF; its worker node
    learns this from the reply to its next heartbeat. A hot resume leaves instances in RUNNING alone. An instance that
    was queued within the last second may be missed, but a client repeats the request each loop.
    fail_silent: those in TRIAGING and NO_HEARTBEAT end with an error, for a run that nobody sweeps any more.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    concerned = stopped_by_resume(hot=hot) | (_SILENT if fail_silent else frozenset())
    stopped = hidden = 0
    in_kill_self: list[InstanceKey] = []
    for number, group in enumerate(in_groups(in_parts(unended_batches(workflow_run_id), concerned))):
        if number and deadline().spent(_ENOUGH):
            raise UnavailableError(f"{stopped} instances were stopped; send it again for the rest")
        ended = run_parallel(lambda part: _terminate_part(part, workflow_run_id, concerned, hot=hot), group)
        remember(each.seen for each in ended if each and not each.seen.part.batch.grows_until)
        stopped += sum(each.stopped for each in ended if each)
        in_kill_self += [key for each in ended if each for key in each.in_kill_self]
        hidden += ended.count(None)
    if hidden:
        raise UnavailableError(f"{hidden} batches of workflow run {workflow_run_id} are not indexed as a whole yet")
    return Stopped(stopped, in_kill_self)


class _Ended(NamedTuple):
    seen: Seen
    stopped: int
    in_kill_self: list[InstanceKey]


def _terminate_part(
    part: Part, workflow_run_id: int, concerned: AbstractSet[TaskInstanceStatus], *, hot: bool
) -> _Ended | None:
    """End or stop the instances of a part in the statuses; None if the index does not show the whole part.

    What is silent comes first: if it reports meanwhile, it is RUNNING, and stopped as such.
    """
    steps = part.instances()
    if steps is None:
        return None
    found = read_instances(steps.values())
    stand = {
        step: TaskInstanceStatus(found[key].status)
        for step, key in steps.items()
        if key in found and found[key].workflow_run_id == workflow_run_id
    }
    moved = 0
    for statuses, report in ((_SILENT, _settlement), (stopped_by_resume(hot=hot), partial(_stopping, hot=hot))):
        due = {step: status for step, status in stand.items() if status in statuses & concerned}
        outcomes = transit_many(report(steps[step], status) for step, status in due.items())
        became = {step: outcome for step, outcome in zip(due, outcomes, strict=True) if outcome}
        stand |= {step: outcome.status for step, outcome in became.items()}
        moved += sum(outcome.moved for outcome in became.values())
    in_kill_self = [steps[step] for step, status in stand.items() if status is TaskInstanceStatus.KILL_SELF]
    return _Ended(Seen(part, stand), moved, in_kill_self)


def _settlement(instance: InstanceKey, status: TaskInstanceStatus) -> Report:
    rule = ABANDONED[status]
    why = f"Workflow resume requested. Setting to {rule.target.name} from status: {status} (its worker node is silent)"
    return Report(instance, rule, on_move=ReportedFields(error=why))


def _stopping(instance: InstanceKey, status: TaskInstanceStatus, *, hot: bool) -> Report:
    return Report(instance, terminate(status, hot=hot), on_move=ReportedFields(error=_WHY[status]))
