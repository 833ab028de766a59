"""After a resume was requested: stop what ended runs of the workflow left, before another run is linked.

A run that ends for a resume stops its own instances. A run that ended by itself leaves its launched and running
instances, and a hot resume leaves the running ones: they may still succeed, unless their tasks start over.
"""

from collections.abc import Sequence
from typing import Final

from pynamodb.expressions.update import Action

from lockstep.array.attention import silent
from lockstep.dynamodb.client import ConditionFailedError, fetch, run_parallel, update
from lockstep.fsm.reports import ABANDONED
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.transitions import RefusalKind
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.observability import record_refusal
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import transit_many
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import MOST_RUNS, newest_runs
from lockstep.workflow_run.item import WorkflowRun, run_id_of
from lockstep.workflow_run.terminate import stop

TI = TaskInstanceStatus

_SETTLED: Final = (TI.TRIAGING, TI.NO_HEARTBEAT)
"""A worker node in one of these is silent: nobody can tell it to stop, and nobody sweeps an ended run."""


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


def stop_leftovers(workflow_id: int, workflow: Workflow) -> list[InstanceKey]:
    """If a resume was ever requested, stop what ended runs left, and return what is in KILL_SELF of it.

    Instances in TRIAGING and NO_HEARTBEAT end with an error. A worker node that reports later hears that and stops.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    if not workflow.resume:
        return []
    hot = workflow.resume == WorkflowRunStatus.HOT_RESUME
    runs = _ended_runs(workflow_id)
    in_kill_self = [key for run in runs for key in stop(run, hot=hot).in_kill_self]
    _settle(runs)
    return in_kill_self


def _ended_runs(workflow_id: int) -> list[int]:
    found = fetch(map(WorkflowRun.key, newest_runs(workflow_id, MOST_RUNS)), consistent=True)
    return [run_id_of(key.pk) for key, raw in found.items() if WorkflowRunStatus(raw["status"]["S"]) in RUN_ENDED]


def _settle(runs: Sequence[int]) -> None:
    found = read_instances(key for keys in run_parallel(silent, runs) for key in keys)
    statuses = {key: TI(instance.status) for key, instance in found.items() if instance.status in _SETTLED}
    transit_many(_settlement(key, status) for key, status in sorted(statuses.items()))


def _settlement(instance: InstanceKey, status: TaskInstanceStatus) -> Report:
    rule = ABANDONED[status]
    why = f"Workflow resume requested. Setting to {rule.target.name} from status: {status} (its worker node is silent)"
    return Report(instance, rule, on_move=ReportedFields(error=why))
