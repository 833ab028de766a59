"""After a resume was requested: stop what ended runs of the workflow left, before another run is linked.

A run that ends for a resume stops its own instances. A run that ended by itself leaves its launched and running
instances, and a hot resume leaves the running ones: they may still succeed, unless their tasks start over.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pynamodb.expressions.update import Action

from lockstep.array.attention import Part, Seen, in_groups, in_parts, remember, unended_batches
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, fetch, run_parallel, update
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.transitions import UNENDED, RefusalKind
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.observability import record_refusal
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances_of_run
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import MOST_RUNS, newest_runs
from lockstep.workflow_run.item import WorkflowRun, run_id_of
from lockstep.workflow_run.terminate import stop

TI = TaskInstanceStatus
_ENOUGH: Final = 0.6
"""The share of the time after which a call looks at no other group of parts."""


def note_resume(workflow_id: int, resume: WorkflowRunStatus) -> None:
    """Note in a workflow how a resume was requested. The note stays until the next request.

    A hot resume replaces a cold one only if a run has been linked since: until then a client may wait that relies on
    the cold one.
    """
    changes: list[Action] = [Workflow.resume.set(resume), Workflow.linked_since.remove()]
    condition = Workflow.pk.exists()
    if resume is WorkflowRunStatus.HOT_RESUME:
        cold = Workflow.resume == WorkflowRunStatus.COLD_RESUME
        condition &= ~cold | Workflow.linked_since.exists()
    try:
        update(Workflow.key(workflow_id), changes, condition)
    except ConditionFailedError:
        record_refusal(
            RefusalKind.INVALID.name, "a cold resume was requested, and no run was linked since: it stays cold"
        )


class Pending(NamedTuple):
    """What counts of an instance in KILL_SELF. A workflow may have hundreds of thousands."""

    may_report: bool
    """Its worker node may still report."""
    may_run: bool
    """A worker node has claimed it, too."""


def pending(found: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, Pending]:
    """Those of some instances that are in KILL_SELF."""
    return {
        key: Pending(may_report(instance), _may_run(instance, hot=False))
        for key, instance in found.items()
        if instance.status == TI.KILL_SELF
    }


class Left(NamedTuple):
    """What ended runs left, once it was stopped."""

    may_run: bool
    """A worker node may still run some of it, or could not be told to stop."""
    told: frozenset[InstanceKey]
    """What was put into KILL_SELF, now or before."""
    in_kill_self: Mapping[InstanceKey, Pending]
    """What is in it by consistent reads, of all or of a part."""


NOTHING: Final = Left(may_run=False, told=frozenset(), in_kill_self={})


def stop_leftovers(workflow_id: int, workflow: Workflow) -> Left:
    """If a resume was ever requested, stop what ended runs left, and return what is left after that.

    Instances in TRIAGING and NO_HEARTBEAT end with an error. A worker node that reports later hears that and stops.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    if not workflow.resume:
        return NOTHING
    hot = workflow.resume == WorkflowRunStatus.HOT_RESUME
    runs = _ended_runs(workflow_id)
    told = frozenset(key for run in runs for key in stop(run, hot=hot, fail_silent=True).in_kill_self)
    return _look(runs, hot=hot)._replace(told=told)


def _ended_runs(workflow_id: int) -> list[int]:
    found = fetch(map(WorkflowRun.key, newest_runs(workflow_id, MOST_RUNS)), consistent=True)
    return sorted(run_id_of(key.pk) for key, raw in found.items() if WorkflowRunStatus(raw["status"]["S"]) in RUN_ENDED)


def _look(runs: Sequence[int], *, hot: bool) -> Left:
    """Look at what has not ended, by consistent reads, until something is found that may still run.

    What there is no time for may run. The index of what is in KILL_SELF would not do: it may lag behind.
    """
    in_kill_self: dict[InstanceKey, Pending] = {}
    groups = ((run, group) for run in runs for group in in_groups(in_parts(unended_batches(run), UNENDED)))
    for number, (run, group) in enumerate(groups):
        if number and deadline().spent(_ENOUGH):
            return NOTHING._replace(may_run=True, in_kill_self=in_kill_self)
        found = _read(run, group)
        in_kill_self |= pending(found)
        if any(_may_run(instance, hot=hot) for instance in found.values()):
            return NOTHING._replace(may_run=True, in_kill_self=in_kill_self)
    return NOTHING._replace(in_kill_self=in_kill_self)


def _read(workflow_run_id: int, group: Sequence[Part]) -> dict[InstanceKey, TaskInstance]:
    """Read a run's instances in some parts, and note in their batches how they stand."""
    shown = run_parallel(Part.instances, group)
    whole = [(part, steps) for part, steps in zip(group, shown, strict=True) if steps is not None]
    if len(whole) < len(group):
        raise UnavailableError(f"a batch of workflow run {workflow_run_id} is not indexed as a whole yet")
    keys = (key for _, steps in whole for key in steps.values())
    found = read_instances_of_run(workflow_run_id, keys, consistent=True)
    remember(
        Seen(part, {step: TI(found[key].status) for step, key in steps.items() if key in found})
        for part, steps in whole
        if not part.batch.grows_until
    )
    return found


def _may_run(instance: TaskInstance, *, hot: bool) -> bool:
    """Whether a worker node may run an instance that should have stopped, or could begin to run it."""
    status = TI(instance.status)
    if status is TI.KILL_SELF:
        return instance.claimed_at is not None and may_report(instance)
    return status in UNENDED and not (hot and status is TI.RUNNING)


def may_report(instance: TaskInstance) -> bool:
    """Whether the time has not passed until which an instance's worker node may be silent."""
    return (instance.report_by or 0.0) >= now()
