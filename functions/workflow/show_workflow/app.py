"""Show a workflow: its runs, and its arrays with their tasks by status."""

from collections import Counter

from lockstep import clock
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Text
from lockstep.http.models import Reply
from lockstep.workflow.counts import ArrayCounts
from lockstep.workflow.overview import MOST_ARRAYS, Overview, look_at
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow_run.views import RunView, run_view

TasksByStatus = dict[TaskStatus, int]


class ArrayView(Reply):
    """An array."""

    array_id: int
    name: Text
    """The first 150 bytes of the array's name."""
    max_concurrently_running: int
    num_tasks: int
    tasks_by_status: TasksByStatus
    """The numbers of tasks by status. Tasks in G wait for their first attempt or their next."""


class WorkflowReply(Reply):
    """A workflow."""

    workflow_id: int
    name: Text | None
    description: Text | None
    workflow_args: Text | None
    status: WorkflowStatus
    status_name: str
    status_date: str
    bound_date: str | None
    """The time at which all tasks were bound."""
    max_concurrently_running: int | None
    num_tasks: int
    """The tasks of all arrays."""
    tool_version_id: int | None
    dag_id: str | None
    workflow_run_id: int | None
    """The run that holds it."""
    attributes: dict[str, Text | None]
    runs: list[RunView]
    """The newest, newest first."""
    arrays: list[ArrayView]
    """The first by id."""
    left_out: int
    """The arrays that are not listed."""
    tasks_by_status: TasksByStatus
    """The sums over all arrays."""
    seen_date: str | None
    """The earliest of the times at which tasks under way were last seen."""
    more_failed: bool
    """More tasks have failed for good than are counted as F; they count as G."""
    more_batches: bool
    """The workflow has more batches than are counted; their tasks count as G."""
    more_tasks: bool
    """The workflow has more tasks than are counted."""


@endpoint("show_workflow")
def lambda_handler(path: WorkflowPath) -> WorkflowReply:
    """Show the workflow. The counts come from its batches, not from its tasks."""
    return _reply(path.workflow_id, look_at(path.workflow_id))


def _reply(workflow_id: int, found: Overview) -> WorkflowReply:
    workflow, spec, counts = found.workflow, found.spec, found.counts
    status = WorkflowStatus(workflow.status)
    by_array = {array_id: of.by_status(status) for array_id, of in sorted(counts.arrays.items())}
    total: Counter[TaskStatus] = Counter()
    for numbers in by_array.values():
        total.update(numbers)
    return WorkflowReply(
        workflow_id=workflow_id,
        name=spec.name if spec else None,
        description=spec.description if spec else None,
        workflow_args=spec.workflow_args if spec else None,
        status=status,
        status_name=status.name,
        status_date=clock.iso(workflow.status_date),
        bound_date=clock.iso_if_known(workflow.created_date),
        max_concurrently_running=workflow.max_concurrently_running,
        num_tasks=total.total(),
        tool_version_id=spec.tool_version_id if spec else None,
        dag_id=str(spec.dag_id) if spec else None,
        workflow_run_id=workflow.workflow_run_id,
        attributes=found.attributes,
        runs=[run_view(run_id, run) for run_id, run in found.runs.items()],
        arrays=[_array(array_id, counts.of(array_id), by_array[array_id]) for array_id in list(by_array)[:MOST_ARRAYS]],
        left_out=max(0, len(by_array) - MOST_ARRAYS),
        tasks_by_status=dict(total),
        seen_date=clock.iso_if_known(counts.seen_at),
        more_failed=counts.more_failed,
        more_batches=counts.more_batches,
        more_tasks=counts.more_tasks,
    )


def _array(array_id: int, counts: ArrayCounts, by_status: TasksByStatus) -> ArrayView:
    return ArrayView(
        array_id=array_id,
        name=(counts.array.title if counts.array else None) or "",
        max_concurrently_running=counts.array.max_concurrently_running if counts.array else 0,
        num_tasks=counts.num_tasks,
        tasks_by_status=by_status,
    )
