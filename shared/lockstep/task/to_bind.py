"""The tasks that a call binds: how they are sent, and what is required of them before any is bound."""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from lockstep.array.item import Array
from lockstep.dynamodb.reads import fetch
from lockstep.errors import FieldError, InvalidError
from lockstep.http.fields import (
    MAX_SETS_PER_CALL,
    Command,
    Id,
    Name,
    NodeId,
    Notes,
    ShortText,
    SmallCount,
)
from lockstep.http.reply import MAX_REPLY_BYTES, carried_as_json

_BOUND_BYTES: Final = 50
"""More than a task takes in the reply beside its name, and more than the reply takes beside its tasks."""


class TaskToBind(NamedTuple):
    """A task as Jobmon's client sends it: an array of values in this order."""

    node_id: NodeId
    task_args_hash: ShortText
    array_id: Id
    task_resources_id: Id
    name: Name
    command: Command
    max_attempts: SmallCount
    reset_if_running: bool = False
    resource_scales: Notes = None
    fallback_queues: Notes = None


def check(workflow_id: int, tasks: Mapping[str, TaskToBind]) -> None:
    """Require that tasks, by the caller's names for them, can be bound together.

    Raises:
        InvalidError: a task names an array that does not exist or that another workflow has, two tasks contradict each
            other, they name too many sets of resources, or no reply holds all names.
    """
    _check_reply(tasks)
    _check_sets(tasks)
    _check_arrays(workflow_id, tasks)
    _check_distinct(tasks)


def _check_reply(names: Collection[str]) -> None:
    """Require that one reply can tell of all tasks."""
    takes = sum(map(carried_as_json, names)) + _BOUND_BYTES * (len(names) + 1)
    if takes > MAX_REPLY_BYTES:
        why = f"the names take {takes} bytes in the reply, which holds {MAX_REPLY_BYTES}: send fewer tasks a call"
        raise InvalidError([FieldError("tasks", why)])


def _check_sets(tasks: Mapping[str, TaskToBind]) -> None:
    """Require that the sets of resources which the tasks name can be read in time."""
    sets = len({task.task_resources_id for task in tasks.values()})
    if sets > MAX_SETS_PER_CALL:
        why = f"{sets} sets of resources are named, and at most {MAX_SETS_PER_CALL} are read: send fewer tasks a call"
        raise InvalidError([FieldError("tasks", why)])


def _check_arrays(workflow_id: int, tasks: Mapping[str, TaskToBind]) -> None:
    """Require that each task's array is the workflow's, and that the tasks of a node have one template version."""
    found = fetch({Array.key(task.array_id) for task in tasks.values()}, consistent=True)
    arrays = {key: Array.from_raw_data(raw) for key, raw in found.items()}
    of_nodes: dict[int, tuple[str, int]] = {}
    wrong: list[FieldError] = []
    for name, task in tasks.items():
        array = arrays.get(Array.key(task.array_id))
        if array is None:
            wrong.append(FieldError(f"tasks.{name}.array_id", f"array {task.array_id} does not exist"))
        elif array.workflow_id != workflow_id:
            why = f"array {task.array_id} belongs to workflow {array.workflow_id}, not {workflow_id}"
            wrong.append(FieldError(f"tasks.{name}.array_id", why))
        else:
            version = array.task_template_version_id
            first, known = of_nodes.setdefault(task.node_id, (name, version))
            if version != known:
                why = f"node {task.node_id} is of template version {known} in tasks.{first}, and of {version} here"
                wrong.append(FieldError(f"tasks.{name}.node_id", why))
    if wrong:
        raise InvalidError(wrong)


def _check_distinct(tasks: Mapping[str, TaskToBind]) -> None:
    """Require that names of the same task, which has one node and one hash of arguments, say the same of it."""
    first: dict[tuple[int, str], str] = {}
    wrong = [
        FieldError(f"tasks.{name}", f"says otherwise than tasks.{known}, which is the same task: one node, one hash")
        for name, task in tasks.items()
        if tasks[known := first.setdefault((task.node_id, task.task_args_hash), name)] != task
    ]
    if wrong:
        raise InvalidError(wrong)
