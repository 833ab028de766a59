"""Give more resources to tasks that failed for want of them."""

import ast
import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeGuard

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, transact
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.dynamodb.reads import fetch_present
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.fields import fit_resources
from lockstep.observability import record_refusal
from lockstep.task.bound_item import Resources, Spec
from lockstep.task.item import Specified, Task, starts_over
from lockstep.task.resources import NewSet, store_sets
from lockstep.task.specs import read_specs
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.workflow.cursor import task_groups
from lockstep.workflow.read import find_workflow

ADJUSTED: Final = "A"
"""The type of resources that were adjusted after a failure, as Jobmon names it."""
GROWN_AT_ONCE: Final = 25
"""The tasks whose sets are stored before they move: a call whose time ends leaves no more sets without a task."""


def increase_resources(workflow_id: int) -> list[int]:
    """Give more to each task that failed and whose newest attempt had too little. Return their ids.

    The task gets a set of its own, or shares it with those that had the same and grow alike; nobody else's changes.
    It moves to ERROR_RECOVERABLE, from which a resume lets it start over. A task that has grown is not found again. A
    workflow that does not exist has none.

    Raises:
        UnavailableError: some have grown; the same call again goes on after them.
    """
    workflow = find_workflow(workflow_id)
    if workflow is None:
        record_refusal(f"no workflow {workflow_id} exists")
        return []
    sets = _LargerSets()
    return [
        task_id
        for tasks in task_groups(workflow_id, workflow, "increase resources")
        for task_id in _grow_all(_short_of_resources(tasks), sets)
    ]


def _short_of_resources(tasks: Mapping[int, Task]) -> dict[int, Task]:
    failed = {task_id: task for task_id, task in tasks.items() if task.status == TaskStatus.ERROR_FATAL}
    newest = {InstanceKey(task_id, task.num_instances): task_id for task_id, task in failed.items()}
    found = read_instances(newest, consistent=True)
    return {
        newest[key]: failed[newest[key]]
        for key, instance in found.items()
        if instance.status == TaskInstanceStatus.RESOURCE_ERROR
    }


class _Short(NamedTuple):
    """A task, and the set that was too small for it."""

    task_id: int
    task: Task
    spec: Specified
    had: Resources

    def larger(self) -> dict[str, Any]:
        """What the task gets instead."""
        scales = ast.literal_eval(self.spec.resource_scales or "{}")
        return scaled(self.had.requested_resources, scales, self.task.num_attempts)


class _LargerSets:
    """The larger sets that this call has stored: one for all tasks that had the same and grow alike."""

    def __init__(self) -> None:
        self._ids: dict[tuple[int, bytes], int] = {}
        """By the set that the tasks had, and a digest of what they get."""

    def of(self, tasks: Sequence[_Short]) -> list[int]:
        """The id of the set that each task gets."""
        larger = [task.larger() for task in tasks]
        alike = [(task.spec.task_resources_id, _digest(wanted)) for task, wanted in zip(tasks, larger, strict=True)]
        new = {
            each: NewSet(task.had.queue_id, ADJUSTED, wanted)
            for each, task, wanted in zip(alike, tasks, larger, strict=True)
            if each not in self._ids
        }
        self._ids |= zip(new, store_sets(list(new.values())), strict=True)
        return [self._ids[each] for each in alike]


def _digest(resources: Mapping[str, Any]) -> bytes:
    """What stands for a set, which may take 60 kB: a call remembers all that it has stored."""
    return hashlib.sha256(repr(resources).encode()).digest()


def _grow_all(tasks: Mapping[int, Task], sets: _LargerSets) -> list[int]:
    """Give tasks their larger sets. Return those that got it: not one that has moved, or has no set to grow."""
    specs = read_specs(tasks, consistent=True)
    wanted = {Resources.key(spec.task_resources_id) for spec in specs.values()}
    had = {key: Resources.from_raw_data(raw) for key, raw in fetch_present(wanted).items()}
    short = [
        _Short(task_id, task, spec, resources)
        for task_id, task in tasks.items()
        if (spec := specs.get(task_id)) and (resources := had.get(Resources.key(spec.task_resources_id)))
    ]
    record_refusal("it has no resources that could grow", len(tasks) - len(short))
    return [task_id for some in chunks(short, GROWN_AT_ONCE) for task_id in _grow_some(some, sets.of(some))]


def _grow_some(tasks: Sequence[_Short], resources_ids: Sequence[int]) -> list[int]:
    grown = run_parallel(lambda growth: _grow(*growth), list(zip(tasks, resources_ids, strict=True)))
    record_refusal("it has moved meanwhile", grown.count(False))
    return [task.task_id for task, has_grown in zip(tasks, grown, strict=True) if has_grown]


def _grow(short: _Short, resources_id: int) -> bool:
    """Give a task its set. False: it has moved meanwhile."""
    try:
        transact(partial(_add_growth, short=short, resources_id=resources_id))
    except ConditionFailedError:
        return False
    return True


def _add_growth(transaction: TransactWrite, short: _Short, resources_id: int) -> None:
    task_id, task, spec, _ = short
    changes: list[Action] = [
        Task.status.set(TaskStatus.ERROR_RECOVERABLE),
        Task.status_date.set(now()),
        *starts_over(),
        Task.bound_as.remove(),
    ]
    unchanged = (Task.status == task.status) & (Task.num_instances == task.num_instances)
    unchanged &= Task.spec_version == spec.spec_version
    if task.specified:
        changes.append(Task.task_resources_id.set(resources_id))
    else:
        transaction.update(
            Spec(*Spec.key(task_id)),
            [Spec.task_resources_id.set(resources_id)],
            Spec.spec_version == spec.spec_version,
        )
    transaction.update(Task(*Task.key(task_id)), changes, unchanged)


def scaled(requested: Mapping[str, Any], scales: Any, num_attempts: int) -> dict[str, Any]:
    """The resources after an attempt that had too little.

    A number s lets a resource grow by that share, rounded up; a list names the amount after each attempt, its last one
    after all further ones. What is neither stays: the name of a function of the client's own, or no scale at all. So
    does an amount that would grow past what a float holds, which is more than any cluster has. Resources that would
    grow past what may be bound, as text, stay as they are.

    >>> scaled({"memory": 10, "cores": 1, "runtime": 60}, {"memory": 0.5, "runtime": [90, 120]}, 2)
    {'memory': 15, 'cores': 1, 'runtime': 120}
    >>> scaled({"memory": 1e308}, {"memory": 10}, 1)
    {'memory': 1e+308}
    """
    grown = dict(requested)
    for name, scale in scales.items() if isinstance(scales, dict) else ():
        amount = grown.get(name)
        if isinstance(scale, list) and scale:
            grown[name] = scale[min(max(num_attempts, 1), len(scale)) - 1]
        elif _is_number(scale) and _is_number(amount):
            grown[name] = _grown(amount, scale)
    return grown if fit_resources(grown) else dict(requested)


def _grown(amount: float, scale: float) -> float:
    try:
        more = math.ceil(amount * (1 + scale))
        float(more)
    except OverflowError:
        return amount
    return more


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
