"""Give more resources to tasks that failed for want of them."""

import ast
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from pynamodb.transactions import TransactWrite

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, chunks, fetch, transact
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task.item import Resources, Spec, Task
from lockstep.task.resources import store_resources
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.workflow.progress import READ_AT_ONCE, read_tasks

MOST_GROWN: Final = 10_000
"""The tasks that a call gives more at most: its reply names each."""
ADJUSTED: Final = "A"
"""The type of resources that were adjusted after a failure, as Jobmon names it."""


def increase_resources(workflow_id: int) -> list[int]:
    """Give more to each task that failed and whose newest attempt had too little. Return their ids.

    The task gets a set of its own, or shares it with those that had the same and grow alike; nobody else's changes.
    It moves to ERROR_RECOVERABLE, from which a resume lets it start over. A task that has grown is not found again.

    Raises:
        UnavailableError: some have grown; the same call again does the rest.
    """
    grown: list[int] = []
    sets: dict[tuple[int, str], int] = {}
    for some in chunks(_failed(workflow_id), READ_AT_ONCE):
        short = _short_of_resources(dict(some))
        specs = {key: Spec.from_raw_data(raw) for key, raw in fetch(map(Spec.key, short), consistent=True).items()}
        for task_id, task in short.items():
            if deadline().passed() or len(grown) == MOST_GROWN:
                raise UnavailableError(f"{len(grown)} tasks have more resources now; send it again for the rest")
            if (spec := specs.get(Spec.key(task_id))) and _grow(task_id, task, spec, sets):
                grown.append(task_id)
    return grown


def _failed(workflow_id: int) -> Iterator[tuple[int, Task]]:
    failed = {TaskStatus.ERROR_FATAL}
    return ((number, task) for number, task in read_tasks(workflow_id, consistent=True) if task.status in failed)


def _short_of_resources(tasks: Mapping[int, Task]) -> dict[int, Task]:
    newest = {InstanceKey(task_id, task.num_instances): task_id for task_id, task in tasks.items()}
    found = read_instances(newest, consistent=True)
    return {
        newest[key]: tasks[newest[key]]
        for key, instance in found.items()
        if instance.status == TaskInstanceStatus.RESOURCE_ERROR
    }


def _grow(task_id: int, task: Task, spec: Spec, sets: dict[tuple[int, str], int]) -> bool:
    """Give a task its larger set. False: it has none, or the task has moved meanwhile."""
    key = Resources.key(spec.task_resources_id)
    raw = fetch([key], consistent=False).get(key)
    if raw is None:
        return False
    had = Resources.from_raw_data(raw)
    wanted = scaled(had.requested_resources, ast.literal_eval(spec.resource_scales or "{}"), task.num_attempts)
    alike = (spec.task_resources_id, repr(wanted))
    if alike not in sets:
        sets[alike] = store_resources(had.queue_id, ADJUSTED, wanted)
    try:
        transact(partial(_add_growth, task_id=task_id, task=task, spec=spec, resources_id=sets[alike]))
    except ConditionFailedError:
        return False
    return True


def _add_growth(transaction: TransactWrite, task_id: int, task: Task, spec: Spec, resources_id: int) -> None:
    transaction.update(
        Task(*Task.key(task_id)),
        [
            Task.status.set(TaskStatus.ERROR_RECOVERABLE),
            Task.status_date.set(now()),
            Task.changed.remove(),
            Task.bound_as.remove(),
        ],
        (Task.status == task.status) & (Task.num_instances == task.num_instances),
    )
    transaction.update(
        Spec(*Spec.key(task_id)),
        [Spec.task_resources_id.set(resources_id)],
        Spec.spec_version == spec.spec_version,
    )


def scaled(requested: Mapping[str, Any], scales: Any, num_attempts: int) -> dict[str, Any]:
    """The resources after an attempt that had too little.

    A number s lets a resource grow by that share, rounded up; a list names the amount after each attempt, its last one
    after all further ones. What is neither stays: the name of a function of the client's own, or no scale at all.

    >>> scaled({"memory": 10, "cores": 1, "runtime": 60}, {"memory": 0.5, "runtime": [90, 120]}, 2)
    {'memory': 15, 'cores': 1, 'runtime': 120}
    """
    grown = dict(requested)
    for name, scale in scales.items() if isinstance(scales, dict) else ():
        amount = grown.get(name)
        if isinstance(scale, list) and scale:
            grown[name] = scale[min(max(num_attempts, 1), len(scale)) - 1]
        elif _is_number(scale) and _is_number(amount):
            grown[name] = math.ceil(amount * (1 + scale))
    return grown


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
