"""Stop the instances of a workflow run that is resumed."""

from typing import Final

from lockstep.array.attention import may_be_in, note, unended_batches
from lockstep.array.item import Batch, BatchAttention
from lockstep.dynamodb.client import run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import stopped_by_resume, terminate
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import transit_many
from lockstep.workflow_run.lifecycle import read_run

_WHY: Final = "Workflow resume requested while the status was {}."


def terminate_task_instances(workflow_run_id: int) -> int:
    """Stop a run's instances, each with an error entry that says why, and return how many this call stopped.

    An instance that no worker node runs yet ends in ERROR_FATAL. One that may run moves to KILL_SELF; its worker node
    learns this from the reply to its next heartbeat. A hot resume leaves instances in RUNNING alone. An instance that
    was queued within the last second may be missed, but a client repeats the request each loop.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest.
    """
    run = read_run(workflow_run_id, consistent=True)
    hot = run is not None and run.status == WorkflowRunStatus.HOT_RESUME
    batches = unended_batches(workflow_run_id)
    return sum(run_parallel(lambda batch: _terminate_batch(batch, workflow_run_id, hot=hot), batches))


def _terminate_batch(batch: Batch, workflow_run_id: int, *, hot: bool) -> int:
    stopped = stopped_by_resume(hot=hot)
    steps = may_be_in(batch, stopped)
    if steps is None:
        raise UnavailableError(f"a batch of workflow run {workflow_run_id} is not indexed as a whole yet")
    reports = [
        Report(key, terminate(status, hot=hot), on_move=ReportedFields(error=_WHY.format(status)))
        for key, instance in read_instances(steps.values()).items()
        if instance.workflow_run_id == workflow_run_id and (status := TaskInstanceStatus(instance.status)) in stopped
    ]
    outcomes = {
        report.instance: outcome for report, outcome in zip(reports, transit_many(reports), strict=True) if outcome
    }
    if outcomes and not batch.grows_until:
        seen = {step: outcomes[key].status for step, key in steps.items() if key in outcomes}
        note(batch, seen, BatchAttention.parse(batch.attention).due)
    return sum(outcome.moved for outcome in outcomes.values())
