"""Link a run: a client begins to run a workflow. One run holds a workflow at a time."""

from functools import partial
from typing import Final, NamedTuple

from pynamodb.transactions import TransactWrite

from lockstep.array.item import EARLIER_RUNS
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, transact
from lockstep.dynamodb.counters import allocate
from lockstep.errors import ContentionError
from lockstep.fsm.statuses import WorkflowRunStatus, WorkflowStatus
from lockstep.fsm.workflow_run import LINKABLE
from lockstep.observability import record_move, record_refusal
from lockstep.text import beginning
from lockstep.workflow.item import MAX_USER_BYTES, RunOfWorkflow, Workflow
from lockstep.workflow.read import find_workflow
from lockstep.workflow_run.handover import free
from lockstep.workflow_run.item import WorkflowRun

SOONEST_REPEAT_SECONDS: Final = 0.9
"""Jobmon's client repeats a call after a second at the earliest. Who links the same workflow sooner is a rival."""
LATEST_REPEAT_SECONDS: Final = 60.0
"""And it gives up waiting for a reply after 20 s; the next tries follow within this time."""


class Client(NamedTuple):
    """Who links a run."""

    user: str | None
    jobmon_version: str | None


class Linked(NamedTuple):
    """The run that was linked, or why none was."""

    workflow_run_id: int | None
    why_not: str | None = None


def link(workflow_id: int, client: Client, increment: float) -> Linked:
    """Make a run that holds its workflow. Of callers that race one wins; the others are told whose run holds it.

    increment: seconds until the client reports next.
    A workflow that nobody bound counts as bound from its first array on (workflow/tasks.py).
    A client whose first reply was lost gets the same run again, as long as nothing has happened on it. A run whose
    client has not reported in time is freed first (handover.py).

    Raises:
        UnavailableError: others kept changing the workflow until the deadline, or what a lapsed run left is not
            stopped yet.
    """
    new_run = 0
    while True:
        workflow = find_workflow(workflow_id)
        if workflow is None:
            return _refused(f"No workflow exists for ID {workflow_id}")
        if workflow.workflow_run_id:
            if held := _held_by(workflow.workflow_run_id, client):
                return held
            continue
        if workflow.created_date is None or workflow.status not in LINKABLE:
            return _refused(f"Workflow {workflow_id} is not in a resume-able state")
        new_run = new_run or allocate("workflow_run", 1)[0]
        try:
            transact(
                partial(
                    _add_run,
                    workflow=workflow,
                    workflow_id=workflow_id,
                    run_id=new_run,
                    client=client,
                    increment=increment,
                )
            )
        except ConditionFailedError as failed:
            if deadline().passed():
                raise ContentionError(f"others kept changing workflow {workflow_id}; send it again") from failed
        else:
            record_move(None, WorkflowRunStatus.LINKING.name)
            return Linked(new_run)


def _held_by(workflow_run_id: int, client: Client) -> Linked | None:
    """The answer to a client whose workflow a run holds; None if the run was freed, or holds it no more."""
    holder = free(workflow_run_id)
    if holder is None:
        return None
    if _is_repeated(holder, client):
        return Linked(workflow_run_id)
    status = _NAMES[WorkflowRunStatus(holder.status)]
    return _refused(f"WorkflowRun {workflow_run_id} holds the workflow: it is {status}")


def _refused(why_not: str) -> Linked:
    record_refusal(why_not)
    return Linked(None, why_not)


_NAMES: Final = {status: status.name.replace("_", " ").lower() for status in WorkflowRunStatus}


def _is_repeated(holder: WorkflowRun, client: Client) -> bool:
    """Whether this client has linked the run by a call whose reply it did not get."""
    since = now() - holder.status_date
    same = (holder.user, holder.jobmon_version) == client
    untouched = holder.status == WorkflowRunStatus.LINKING
    return same and untouched and SOONEST_REPEAT_SECONDS <= since <= LATEST_REPEAT_SECONDS


def _add_run(
    transaction: TransactWrite, workflow: Workflow, workflow_id: int, run_id: int, client: Client, increment: float
) -> None:
    at = now()
    resumed = Workflow.resume == workflow.resume if workflow.resume else Workflow.resume.does_not_exist()
    transaction.save(
        WorkflowRun(
            *WorkflowRun.key(run_id),
            status=WorkflowRunStatus.LINKING,
            status_date=at,
            workflow_id=workflow_id,
            user=client.user,
            jobmon_version=client.jobmon_version,
            heartbeat_date=at + increment,
            workflow_run_id=run_id if workflow.resume else None,
            attention=EARLIER_RUNS if workflow.resume else None,
        )
    )
    transaction.save(RunOfWorkflow(*RunOfWorkflow.key(workflow_id, run_id)))
    transaction.update(
        Workflow(workflow.pk, workflow.sk),
        [
            Workflow.workflow_run_id.set(run_id),
            Workflow.status.set(WorkflowStatus.REGISTERING),
            Workflow.status_date.set(at),
            Workflow.cursor.remove(),
            Workflow.linked_since.set(at),
            Workflow.user.set(beginning(client.user or "", MAX_USER_BYTES)),
        ],
        (Workflow.status == workflow.status) & Workflow.workflow_run_id.does_not_exist() & resumed,
    )
