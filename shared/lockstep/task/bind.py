"""Bind tasks: find each by its natural key, then create it, reset it or keep it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pynamodb.transactions import TransactWrite

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ACTIONS_PER_TRANSACTION, ConditionFailedError, transact
from lockstep.dynamodb.parallel import chunks_of_bytes, run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.errors import ContentionError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.binding import Binding
from lockstep.task.bound_item import TaskLookup
from lockstep.task.item import Task
from lockstep.task.literals import as_literal
from lockstep.task.resources import Directories, read_directories
from lockstep.task.specs import Specification
from lockstep.task.to_bind import TaskToBind, check
from lockstep.workflow.tasks import allocate_tasks, note_bound, note_range

TASKS_PER_TRANSACTION: Final = 50
"""Each new task takes two actions, or three; a transaction holds 100."""
BYTES_PER_TRANSACTION: Final = 2_000_000
"""The bytes of one transaction's items. AWS allows 4 MB and does not document whether replaced items count too."""


def bind_tasks(
    workflow_id: int, tasks: Mapping[str, TaskToBind], *, complete: bool
) -> dict[str, tuple[int, TaskStatus]]:
    """Bind tasks, and return the id and status of each by the caller's name for it.

    complete: these are the workflow's last tasks. Only then a run of it can be linked.

    A workflow identifies a task by its node and arguments. A task that is bound again keeps its id and is reset, unless
    is_reset_by_binding says otherwise. Callers that race get the same id. An expired task is created anew, with a new
    id. If a later part fails, the tasks bound so far stay bound; the same call again binds the rest.

    Raises:
        InvalidError: a task names an array that does not exist or that another workflow has, two tasks contradict each
            other, they name too many sets of resources, or no reply holds all names. Nothing was bound.
    """
    check(workflow_id, tasks)
    lookups = {name: TaskLookup.key(workflow_id, task.node_id, task.task_args_hash) for name, task in tasks.items()}
    specs = _specifications(tasks)
    bindings = {lookups[name]: Binding(workflow_id, lookups[name], task, specs[name]) for name, task in tasks.items()}
    _look_up(list(bindings.values()), consistent=False)
    groups = chunks_of_bytes(
        bindings.values(), lambda binding: binding.bytes, BYTES_PER_TRANSACTION, TASKS_PER_TRANSACTION
    )
    run_parallel(_bind, groups)
    _note_unused(workflow_id, bindings.values())
    if complete:
        note_bound(workflow_id)
    return {name: (bindings[lookup].task_id, bindings[lookup].status) for name, lookup in lookups.items()}


def _specifications(tasks: Mapping[str, TaskToBind]) -> dict[str, Specification]:
    """The specification of each task, with the directories that its resources name."""
    known = read_directories({task.task_resources_id for task in tasks.values()})
    return {name: _specification(task, known.get(task.task_resources_id, (None, None))) for name, task in tasks.items()}


def _specification(task: TaskToBind, directories: Directories) -> Specification:
    scales, queues = as_literal(task.resource_scales), as_literal(task.fallback_queues)
    return Specification(task.name, task.command, task.task_resources_id, *directories, scales, queues)


def _look_up(bindings: Sequence[Binding], *, consistent: bool) -> None:
    """Find the tasks that exist, and allocate an id for each that is new or has expired.

    An expired task's id is never reused, because the count of its instances has expired with it.

    consistent: whether a lookup that was written just now must be seen. If one is missed, the write is refused, and the
    id that was allocated stays unused.
    """
    lookups = fetch((binding.lookup for binding in bindings), consistent=consistent)
    for binding in bindings:
        raw = lookups.get(binding.lookup)
        binding.known_id = TaskLookup.from_raw_data(raw).id if raw else 0
    known = {Task.key(binding.known_id) for binding in bindings if binding.known_id}
    tasks = {key: Task.from_raw_data(raw) for key, raw in fetch(known, consistent=True).items()}
    at = now()
    for binding in bindings:
        task = tasks.get(Task.key(binding.known_id))
        binding.stored = task if task and not task.has_expired(at) else None
    new = [binding for binding in bindings if not binding.stored and not binding.new_id]
    if new:
        allocated = allocate_tasks(new[0].workflow_id, [binding.task.array_id for binding in new])
        for binding, (task_id, feed) in zip(new, allocated, strict=True):
            binding.new_id, binding.feed, binding.first_id = task_id, feed, allocated[0][0]


def _note_unused(workflow_id: int, bindings: Iterable[Binding]) -> None:
    """Note the ids that were allocated to tasks which another caller bound first: they are of no array."""
    together: dict[int, list[Binding]] = defaultdict(list)
    for binding in bindings:
        if binding.new_id:
            together[binding.first_id].append(binding)
    for first, allocated in together.items():
        if any(binding.stored for binding in allocated):
            allocated.sort(key=lambda binding: binding.new_id)
            note_range(workflow_id, first, [0 if binding.stored else binding.task.array_id for binding in allocated])


def _bind(group: Sequence[Binding]) -> None:
    while pending := _first_that_fit([binding for binding in group if not binding.done]):
        at = now()

        def build(transaction: TransactWrite) -> None:
            for binding in pending:  # called at once
                binding.add_to(transaction, at)  # noqa: B023  # called at once

        try:
            transact(build)
        except ConditionFailedError as failed:
            if deadline().passed():
                raise ContentionError("other callers kept binding the same tasks; send it again") from failed
            _look_up(pending, consistent=True)
        else:
            for binding in pending:
                binding.written = True


def _first_that_fit(pending: Sequence[Binding]) -> Sequence[Binding]:
    """Return the first bindings, as many as one transaction holds."""
    return pending[: ACTIONS_PER_TRANSACTION // max((binding.actions for binding in pending), default=1)]
