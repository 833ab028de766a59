"""Stop the instances of a workflow run for a resume."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from lockstep.array.item import Batch
from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import Portion, in_groups, in_portions
from lockstep.array.run_index import unended_batches
from lockstep.context import deadline
from lockstep.dynamodb.parallel import run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ABANDONED, stopped_by_resume, terminate
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances_of_run
from lockstep.task_instance.report import Report, ReportedFields, abandoned
from lockstep.task_instance.transition import transit_many
from lockstep.workflow_run.read import read_run

TI = TaskInstanceStatus

_WHY: Final = {
    status: f"Workflow resume requested. Setting to ERROR_FATAL from status: {status} (no worker to clean up)"
    if status in (TI.QUEUED, TI.INSTANTIATED)
    else f"Workflow resume requested. Setting to KILL_SELF from status: {status}"
    for status in stopped_by_resume(hot=False)
}
"""What Jobmon's server writes to the error log of an instance in a status."""
_SILENT: Final = frozenset({TI.TRIAGING, TI.NO_HEARTBEAT})
"""A worker node in one of these is silent: nobody can tell it to stop."""
_LEAVES_RUNNING: Final = {WorkflowRunStatus.HOT_RESUME, WorkflowRunStatus.TERMINATED}
"""The statuses of runs whose running instances stay. A TERMINATED run has stopped what a cold resume stops; a call that
comes late, or twice at once, must not stop what a hot one left.
"""
_ENOUGH: Final = 0.6
"""The share of the time after which a call begins no other group of portions."""


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


def stop(
    workflow_run_id: int, *, hot: bool, fail_silent: bool = False, batches: Iterable[Batch] | None = None
) -> Stopped:
    """Stop a run's instances, each with an error entry that says why.

    hot: as the caller found the run. Once another caller has ended it, its status no longer says how it was resumed.
    fail_silent: instances in TRIAGING and NO_HEARTBEAT end with an error, for a run that nobody sweeps any more.
    batches: those to stop the instances of; all of the run, if none are given.

    An instance that no worker node runs yet ends in ERROR_FATAL. One that may run moves to KILL_SELF; its worker node
    learns this from the reply to its next heartbeat. A hot resume leaves instances in RUNNING alone. An instance that
    was queued within the last second may be missed, but a client repeats the request each loop.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    to_stop = stopped_by_resume(hot=hot)
    concerned = to_stop | (_SILENT if fail_silent else frozenset())
    stopped = hidden = 0
    in_kill_self: list[InstanceKey] = []
    of_run = unended_batches(workflow_run_id) if batches is None else batches
    for number, group in enumerate(in_groups(in_portions(of_run, concerned))):
        if number and deadline().spent(_ENOUGH):
            raise UnavailableError(f"{stopped} instances were stopped; send it again for the rest")
        read = run_parallel(lambda portion: _read(portion, workflow_run_id), group)
        found = [each for each in read if each]
        if fail_silent:  # first: one that reports meanwhile is RUNNING, and is stopped as such
            run_parallel(lambda each: _send(each, _SILENT, _failing), found)
        run_parallel(lambda each: _send(each, to_stop, partial(_stopping, hot=hot)), found)
        remember(Seen(each.portion, each.stand) for each in found if not each.portion.batch.grows_until)
        stopped += sum(each.moved for each in found)
        in_kill_self += [each.steps[step] for each in found for step in each.stand if each.stand[step] is TI.KILL_SELF]
        hidden += read.count(None)
    if hidden:
        raise UnavailableError(f"{hidden} batches of workflow run {workflow_run_id} are not indexed as a whole yet")
    return Stopped(stopped, in_kill_self)


@dataclass(slots=True)
class _Read:
    """A portion of a batch, and how its instances stand."""

    portion: Portion
    steps: Mapping[int, InstanceKey]
    stand: dict[int, TI]
    moved: int = 0
    """How many this call moved."""


def _read(portion: Portion, workflow_run_id: int) -> _Read | None:
    """Read a run's instances in a portion; None if the index does not show the whole portion."""
    steps = portion.instances()
    if steps is None:
        return None
    found = read_instances_of_run(workflow_run_id, steps.values())
    return _Read(portion, steps, dict(Seen.read(portion, steps, found).statuses))


def _send(
    read: _Read,
    statuses: AbstractSet[TI],
    report: Callable[[InstanceKey, TI], Report],
) -> None:
    """Report on the instances in these statuses, and note how they stand after it."""
    due = {step: status for step, status in read.stand.items() if status in statuses}
    outcomes = transit_many(report(read.steps[step], status) for step, status in due.items())
    became = {step: outcome for step, outcome in zip(due, outcomes, strict=True) if outcome}
    read.stand |= {step: outcome.status for step, outcome in became.items()}
    read.moved += sum(outcome.moved for outcome in became.values())


def _failing(instance: InstanceKey, status: TI) -> Report:
    target = ABANDONED[status].target.name
    why = f"Workflow resume requested. Setting to {target} from status: {status} (its worker node is silent)"
    return abandoned(instance, status, why)


def _stopping(instance: InstanceKey, status: TaskInstanceStatus, *, hot: bool) -> Report:
    return Report(instance, terminate(status, hot=hot), on_move=ReportedFields(error=_WHY[status]))
