"""The tasks of a workflow: their ids, and when all are bound. What binds an array or tasks makes their workflow."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice

from pynamodb.expressions.update import Action

from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.item import MAX_ID, Item
from lockstep.dynamodb.reads import query
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.task.item import feed_key
from lockstep.workflow.item import ALL_WORKFLOWS, TaskRange, Workflow, workflow_listed_as


def ensure_workflow(workflow_id: int) -> None:
    """Create a workflow that was never bound: Jobmon's server takes arrays of any workflow number.

    It counts as bound, because nobody will say when all its tasks are: a run of it may be linked at once.
    """
    at = now()
    workflow = Workflow(
        *Workflow.key(workflow_id),
        status=WorkflowStatus.REGISTERING,
        status_date=at,
        created_date=at,
        listed_in=ALL_WORKFLOWS,
        listed_as=workflow_listed_as(workflow_id),
    )
    with suppress(ConditionFailedError):  # somebody has bound it, or it has an array
        reach(lambda: workflow.save(Workflow.pk.does_not_exist()))


def allocate_tasks(workflow_id: int, arrays: Sequence[int]) -> list[tuple[int, str]]:
    """Allocate ids for new tasks of a workflow, and the shard of its change feed for each.

    arrays: the array of each new task. The ids are consecutive.

    The workflow notes the ids before a task has one, so that whoever reads its tasks misses none.
    """
    ids = allocate("task", len(arrays))
    note_range(workflow_id, ids[0], arrays)
    workflow = Workflow(*Workflow.key(workflow_id))
    added = Workflow.num_tasks.set((Workflow.num_tasks | 0) + len(arrays))
    reach(lambda: workflow.update([*_made(workflow_id), added]))
    first = (workflow.num_tasks or 0) - len(arrays)
    return [(task_id, feed_key(workflow_id, first + number)) for number, task_id in enumerate(ids)]


def note_range(workflow_id: int, first: int, arrays: Sequence[int]) -> None:
    """Note the array of each of a workflow's consecutive task ids; 0 for an unused id."""
    runs = [[array_id, len(list(ids))] for array_id, ids in groupby(arrays)]
    reach(TaskRange(*TaskRange.key(workflow_id, first), size=len(arrays), arrays=runs).save)


def note_bound(workflow_id: int) -> None:
    """Note that all tasks of a workflow are bound, unless that is known."""
    workflow = Workflow(*Workflow.key(workflow_id))
    reach(lambda: workflow.update([*_made(workflow_id), Workflow.created_date.set(Workflow.created_date | now())]))


def task_ids(workflow_id: int, after: int = 0) -> Iterator[int]:
    """Yield the ids allocated to a workflow that are greater than `after`, ascending; some may not be in use.

    Bindings that race may note their ranges in any order; the sort keys put them right.
    """
    for noted in task_ranges(workflow_id, after, consistent=True):
        yield from range(max(noted.ids.start, after + 1), noted.ids.stop)


def task_ranges(
    workflow_id: int, after: int, *, consistent: bool = False, at_once: int | None = None
) -> Iterator[TaskRange]:
    """Yield the ranges of a workflow's task ids, ascending, from the one that holds `after` on.

    The ranges before it are not read: one more request finds where it begins, unless `after` is 0.
    at_once: see reads.query.
    """
    partition, begin = Workflow.key(workflow_id).pk, TaskRange.PREFIX
    if after:
        until = Item.sk.between(TaskRange.PREFIX, TaskRange.key(workflow_id, min(after, MAX_ID)).sk)
        for raw in islice(query(partition, until, consistent=consistent, newest=True, at_once=1), 1):
            begin = raw["sk"]["S"]
    following = Item.sk.between(begin, f"{TaskRange.PREFIX}~")
    for raw in query(partition, following, consistent=consistent, at_once=at_once):
        yield TaskRange.from_raw_data(raw)


def _made(workflow_id: int) -> list[Action]:
    return [
        Workflow.listed_in.set(ALL_WORKFLOWS),
        Workflow.listed_as.set(workflow_listed_as(workflow_id)),
        Workflow.status.set(Workflow.status | WorkflowStatus.REGISTERING),
        Workflow.status_date.set(Workflow.status_date | now()),
    ]
