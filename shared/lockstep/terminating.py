"""Ending a workflow run for one that takes its workflow over."""

from typing import Final

from lockstep.advance import Request, transit_many
from lockstep.batches import may_be_in, note, unended_batches
from lockstep.clock import BULK_BUDGET_SECONDS, Deadline
from lockstep.errors import UnavailableError
from lockstep.items import Batch
from lockstep.keys import BatchAttention
from lockstep.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.store import Said, read_by_id
from lockstep.table import side_by_side
from lockstep.transitions import stopped_by_resume, terminate
from lockstep.workflow_runs import read_run

_WHY: Final = "Workflow resume requested while the status was {}."


def terminate_task_instances(workflow_run_id: int) -> int:
    """Stop a run's instances, each with an error entry that says so, and answer how many were stopped.

    What nobody runs yet ends in ERROR_FATAL. What may run moves to KILL_SELF, and its worker node hears of it;
    if the resume is hot, what is RUNNING may go on. What was queued within the last second may be missed: a client
    asks again each loop.

    Raises:
        UnavailableError: some may have been stopped; the same call again stops the rest.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    run = read_run(workflow_run_id, deadline, consistent=True)
    hot = run is not None and run.status == WorkflowRunStatus.HOT_RESUME
    batches = unended_batches(workflow_run_id, deadline)
    return sum(side_by_side(lambda batch: _terminate_batch(batch, workflow_run_id, deadline, hot=hot), batches))


def _terminate_batch(batch: Batch, workflow_run_id: int, deadline: Deadline, *, hot: bool) -> int:
    stopped = stopped_by_resume(hot=hot)
    steps = may_be_in(batch, stopped, deadline)
    if steps is None:
        raise UnavailableError(f"a batch of workflow run {workflow_run_id} is not indexed as a whole yet")
    found = read_by_id(steps.values(), deadline)
    requests = [
        Request(number, terminate(status, hot=hot), on_move=Said(error=_WHY.format(status)))
        for number, instance in found.items()
        if instance.workflow_run_id == workflow_run_id and (status := TaskInstanceStatus(instance.status)) in stopped
    ]
    outcomes = transit_many(requests, deadline)
    told = {request.task_instance_id: outcome for request, outcome in zip(requests, outcomes, strict=True) if outcome}
    if told and not batch.grows_until:
        seen = {step: told[number].status for step, number in steps.items() if number in told}
        note(batch, seen, BatchAttention.parse(batch.attention).due, deadline)
    return sum(outcome.moved for outcome in told.values())
