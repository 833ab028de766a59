"""The tasks of a workflow that a client reads to resume it by its id."""

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final, NamedTuple

from lockstep.array.item import Array
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import fetch_present
from lockstep.errors import FieldError, InvalidError
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.reply import MAX_REPLY_BYTES, carried_as_json
from lockstep.task.bound_item import Resources
from lockstep.task.item import Specified, Task
from lockstep.task.literals import as_json_literal
from lockstep.task.resources import queue_of
from lockstep.task.specs import read_specs
from lockstep.workflow.left import tasks_left

_ROWS_AT_ONCE: Final = 500
"""The tasks whose resources are read before the size of the reply is looked at: 30 MB."""
MOST_APART: Final = 1_000
"""The tasks of a page, at most, whose specifications are items apart. DynamoDB reads all of such an item: 320 MB.
"""
_ROW_BYTES: Final = 200
"""More than a task takes in the reply beside its texts."""


class TaskToResume(NamedTuple):
    """A task as Jobmon's client reads it: positional. It reads the texts as Python literals."""

    array_id: int
    status: TaskStatus
    max_attempts: int
    resource_scales: str
    fallback_queues: str
    requested_resources: str
    cluster_name: str
    queue_name: str
    max_concurrently_running: int


def tasks_to_resume(workflow_id: int, after: int, most: int) -> dict[int, TaskToResume]:
    """The first tasks, by ascending id, whose ids are greater than `after` and that are not done: so many at most.

    A page that is not full is the last one: Jobmon's client asks for no other one after it.

    Raises:
        InvalidError: the reply would be too large, or more than MOST_APART of the tasks have long specifications. Fewer
            tasks would mean to Jobmon's client that there are no more.
        NotFoundError: the resources of a task name a queue that does not exist.
        UnavailableError: too many done tasks lie before the next one for one call; the same call again goes on.
    """
    left = tasks_left(workflow_id, after, most)
    rows: dict[int, TaskToResume] = {}
    room, apart = MAX_REPLY_BYTES, 0
    while tasks := dict(islice(left, most - len(rows))):
        apart += sum(not task.specified for task in tasks.values())
        _check_apart(apart)
        for some in chunks(tasks.items(), _ROWS_AT_ONCE):
            more = _rows(dict(some))
            rows |= more
            room -= sum(carried_as_json(row) + _ROW_BYTES for row in more.values())
            if room < 0:
                why = f"must be smaller: {len(rows)} of these tasks fit no reply"
                raise InvalidError([FieldError("chunk_size", why)])
    return rows


def _check_apart(apart: int) -> None:
    """Require that the specifications which are items apart can be read in the time of a call, whatever they take."""
    if apart > MOST_APART:
        why = f"must be smaller: {apart} of these tasks have long specifications, and at most {MOST_APART} are read"
        raise InvalidError([FieldError("chunk_size", why)])


def _rows(tasks: Mapping[int, Task]) -> dict[int, TaskToResume]:
    """The rows of tasks. One without a specification, resources or an array has none, as in Jobmon's query."""
    specs = read_specs(tasks, consistent=False)
    resources = _read_resources({spec.task_resources_id for spec in specs.values()})
    limits = _read_limits({task.array_id for task in tasks.values()})
    return {
        task_id: _row(task, specs[task_id], resources[specs[task_id].task_resources_id], limits[task.array_id])
        for task_id, task in tasks.items()
        if task_id in specs and specs[task_id].task_resources_id in resources and task.array_id in limits
    }


def _row(task: Task, spec: Specified, resources: Resources, limit: int) -> TaskToResume:
    placed = queue_of(spec.task_resources_id, resources)
    return TaskToResume(
        task.array_id,
        TaskStatus(task.status),
        task.max_attempts,
        spec.resource_scales or "{}",
        spec.fallback_queues or "[]",
        as_json_literal(dict(resources.requested_resources)),
        placed.cluster.name,
        placed.queue.name,
        limit,
    )


def _read_resources(task_resources_ids: Collection[int]) -> dict[int, Resources]:
    keys = {Resources.key(number): number for number in task_resources_ids}
    return {keys[key]: Resources.from_raw_data(raw) for key, raw in fetch_present(keys).items()}


def _read_limits(array_ids: Collection[int]) -> dict[int, int]:
    keys = {Array.key(number): number for number in array_ids}
    return {keys[key]: Array.from_raw_data(raw).max_concurrently_running for key, raw in fetch_present(keys).items()}
