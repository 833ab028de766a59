"""Bind tasks: find each by its natural key, then create it, reset it or keep it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pynamodb.transactions import TransactWrite

from lockstep.array.item import Array
from lockstep.clock import expiry, now
from lockstep.context import deadline
from lockstep.dynamodb.client import (
    ACTIONS_PER_TRANSACTION,
    ConditionFailedError,
    chunks_of_bytes,
    fetch,
    run_parallel,
    transact,
)
from lockstep.dynamodb.item import Key
from lockstep.errors import ContentionError, FieldError, InvalidError
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import is_reset_by_binding
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
from lockstep.task.bound_item import Spec, TaskLookup
from lockstep.task.item import Task, starts_over
from lockstep.task.literals import as_literal
from lockstep.task.resources import Directories, read_directories
from lockstep.task.specs import Specification
from lockstep.text import digest, size
from lockstep.workflow.tasks import allocate_tasks, note_bound, note_range

TASKS_PER_TRANSACTION: Final = 50
"""Each new task takes two actions, or three; a transaction holds 100."""
BYTES_PER_TRANSACTION: Final = 2_000_000
"""The bytes of one transaction's items. AWS allows 4 MB and does not document whether replaced items count too."""
_BYTES_BESIDE_TEXT: Final = 1_000
"""The bytes that the items of one task take at most beside the caller's texts."""
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
    _check_reply(tasks)
    _check_sets(tasks)
    _check_arrays(workflow_id, tasks)
    _check_distinct(tasks)
    lookups = {name: TaskLookup.key(workflow_id, task.node_id, task.task_args_hash) for name, task in tasks.items()}
    specs = _specifications(tasks)
    bindings = {lookups[name]: _Binding(workflow_id, lookups[name], task, specs[name]) for name, task in tasks.items()}
    _look_up(list(bindings.values()), consistent=False)
    groups = chunks_of_bytes(
        bindings.values(), lambda binding: binding.bytes, BYTES_PER_TRANSACTION, TASKS_PER_TRANSACTION
    )
    run_parallel(_bind, groups)
    _note_unused(workflow_id, bindings.values())
    if complete:
        note_bound(workflow_id)
    return {name: (bindings[lookup].task_id, bindings[lookup].status) for name, lookup in lookups.items()}


@dataclass(slots=True)
class _Binding:
    """A task that is being bound."""

    workflow_id: int
    lookup: Key
    task: TaskToBind
    spec: Specification
    new_id: int = 0
    """The id allocated for a new task, else 0."""
    first_id: int = 0
    """The first of the ids that were allocated with it."""
    feed: str | None = None
    """The part of the workflow's change feed that lists it, if it is new."""
    known_id: int = 0
    """The id in the task's lookup, else 0. The task with this id may have expired."""
    seen: Task | None = None
    """The task with known_id as it was last read."""
    written: bool = False

    @property
    def task_id(self) -> int:
        return self.known_id if self.seen else self.new_id

    @property
    def actions(self) -> int:
        """The actions that it adds to a transaction, at most."""
        if self.seen:
            return 2
        return 2 + bool(self.known_id) + (not self.spec.is_short)

    @property
    def bytes(self) -> int:
        """The bytes of its items, at most."""
        return self.spec.bytes + size(self.task.task_args_hash) + _BYTES_BESIDE_TEXT

    @property
    def key(self) -> Key:
        return Task.key(self.task_id)

    @property
    def status(self) -> TaskStatus:
        return TaskStatus(self.seen.status) if self.seen and not self.written else TaskStatus.REGISTERING

    @property
    def settled(self) -> bool:
        """Whether no write is needed: the task was written, or it stays as it is."""
        if self.written or self.seen is None:
            return self.written
        status = TaskStatus(self.seen.status)
        return (self.seen.is_fresh and self.seen.bound_as == self.bound_as) or not is_reset_by_binding(
            status, reset_if_running=self.task.reset_if_running
        )

    @property
    def bound_as(self) -> str:
        return digest(repr((self.task, (self.spec.stdout_dir, self.spec.stderr_dir))))

    @property
    def spec_version(self) -> int:
        return self.seen.spec_version + 1 if self.seen else 1

    def add_to(self, transaction: TransactWrite, at: float) -> None:
        if self.seen:
            self._reset(transaction, self.seen, at)
        else:
            self._create(transaction, at)
        if not self.spec.is_short:
            transaction.save(self._spec_apart(at))

    def _create(self, transaction: TransactWrite, at: float) -> None:
        unclaimed = TaskLookup.pk.does_not_exist()
        if self.known_id:
            unclaimed |= TaskLookup.id == self.known_id
            gone = Task.pk.does_not_exist() | (Task.expires_at <= at)
            transaction.condition_check(Task, *Task.key(self.known_id), gone)
        transaction.save(TaskLookup(*self.lookup, id=self.task_id, expires_at=expiry(at)), unclaimed)
        task = Task(
            *self.key,
            status=TaskStatus.REGISTERING,
            status_date=at,
            num_attempts=0,
            max_attempts=self.task.max_attempts,
            num_instances=0,
            spec_version=self.spec_version,
            bound_as=self.bound_as,
            array_id=self.task.array_id,
            workflow_id=self.workflow_id,
            feed=self.feed,
            node_id=self.task.node_id,
            expires_at=expiry(at),
        )
        self.spec.fill_task(task)
        transaction.save(task)

    def _reset(self, transaction: TransactWrite, seen: Task, at: float) -> None:
        transaction.update(
            Task(*self.key),
            [
                Task.status.set(TaskStatus.REGISTERING),
                Task.status_date.set(at),
                Task.num_attempts.set(0),
                Task.max_attempts.set(self.task.max_attempts),
                Task.spec_version.set(self.spec_version),
                Task.bound_as.set(self.bound_as),
                Task.array_id.set(self.task.array_id),
                *starts_over(),
                Task.node_id.set(self.task.node_id),
                *self.spec.changes(),
                *Task.renewed(at),
            ],
            (Task.status == seen.status) & (Task.spec_version == seen.spec_version),
        )

    def _spec_apart(self, at: float) -> Spec:
        apart = Spec(
            *Spec.key(self.task_id),
            spec_version=self.spec_version,
            workflow_id=self.workflow_id,
            array_id=self.task.array_id,
            expires_at=expiry(at),
        )
        self.spec.fill(apart)
        return apart


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


def _look_up(bindings: Sequence[_Binding], *, consistent: bool) -> None:
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
        binding.seen = task if task and not task.has_expired(at) else None
    new = [binding for binding in bindings if not binding.seen and not binding.new_id]
    if new:
        allocated = allocate_tasks(new[0].workflow_id, [binding.task.array_id for binding in new])
        for binding, (task_id, feed) in zip(new, allocated, strict=True):
            binding.new_id, binding.feed, binding.first_id = task_id, feed, allocated[0][0]


def _note_unused(workflow_id: int, bindings: Iterable[_Binding]) -> None:
    """Note the ids that were allocated to tasks which another caller bound first: they are of no array."""
    together: dict[int, list[_Binding]] = defaultdict(list)
    for binding in bindings:
        if binding.new_id:
            together[binding.first_id].append(binding)
    for first, allocated in together.items():
        if any(binding.seen for binding in allocated):
            allocated.sort(key=lambda binding: binding.new_id)
            note_range(workflow_id, first, [0 if binding.seen else binding.task.array_id for binding in allocated])


def _specifications(tasks: Mapping[str, TaskToBind]) -> dict[str, Specification]:
    """The specification of each task, with the directories that its resources name."""
    known = read_directories({task.task_resources_id for task in tasks.values()})
    return {name: _specification(task, known.get(task.task_resources_id, (None, None))) for name, task in tasks.items()}


def _specification(task: TaskToBind, directories: Directories) -> Specification:
    scales, queues = as_literal(task.resource_scales), as_literal(task.fallback_queues)
    return Specification(task.name, task.command, task.task_resources_id, *directories, scales, queues)


def _bind(group: Sequence[_Binding]) -> None:
    while pending := _first_that_fit([binding for binding in group if not binding.settled]):
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


def _first_that_fit(pending: Sequence[_Binding]) -> Sequence[_Binding]:
    """Return the first bindings, as many as one transaction holds."""
    return pending[: ACTIONS_PER_TRANSACTION // max((binding.actions for binding in pending), default=1)]
