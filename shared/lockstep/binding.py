"""Making what a workflow consists of: arrays, resources and tasks. Each is found again by its natural key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field
from pynamodb.transactions import TransactWrite

from lockstep import keys
from lockstep.clock import BULK_BUDGET_SECONDS, Deadline, expiry, now
from lockstep.errors import ContentionError, FieldError, InvalidError
from lockstep.items import Array, Counter, Lookup, Resources, Spec, Task
from lockstep.resources import read_directories
from lockstep.statuses import TaskStatus
from lockstep.store import ACTIONS_PER_TRANSACTION
from lockstep.table import ConditionFailedError, Key, fetch, reach, side_by_side, transact
from lockstep.text import digest, size
from lockstep.transitions import is_reset_by_binding
from lockstep.wire import Command, Id, Name, ShortText, SmallCount

TASKS_PER_TRANSACTION: Final = 33
"""Three items each; a transaction holds 100 actions."""
BYTES_PER_TRANSACTION: Final = 3_000_000
"""A transaction holds 4 MB."""


class TaskToBind(NamedTuple):
    """A task as Jobmon's client sends it, positional."""

    node_id: Id
    task_args_hash: ShortText
    array_id: Id
    task_resources_id: Id
    name: Name
    command: Command
    max_attempts: SmallCount
    reset_if_running: bool = False
    resource_scales: Annotated[Any, Field(description="ignored")] = None
    fallback_queues: Annotated[Any, Field(description="ignored")] = None


def allocate(kind: str, count: int, deadline: Deadline) -> range:
    """So many ids of a kind that nobody else is given, in one write."""
    counter = Counter(keys.counter(kind), keys.COUNTER)
    reach(lambda: counter.update([Counter.last.add(count)]), deadline)
    last = counter.last
    return range(last - count + 1, last + 1)


def bind_array(workflow_id: int, task_template_version_id: int, max_concurrently_running: int, name: str) -> int:
    """The id of the workflow's array for the template version, made if need be; its concurrency is updated.

    Whatever races, one pair of ids gets one array.
    """
    deadline = Deadline()
    lookup = Key(keys.array_lookup(workflow_id, task_template_version_id), keys.LOOKUP)
    found = fetch([lookup], deadline, consistent=True).get(lookup)
    if not found:
        [array_id] = allocate("array", 1, deadline)
        array = Array(
            keys.array(array_id),
            keys.ARRAY,
            name=name,
            workflow_id=workflow_id,
            task_template_version_id=task_template_version_id,
            max_concurrently_running=max_concurrently_running,
            num_batches=0,
        )

        def make(transaction: TransactWrite) -> None:
            transaction.save(Lookup(*lookup, id=array_id), Lookup.pk.does_not_exist(), return_values="ALL_OLD")
            transaction.save(array)

        try:
            transact(make, deadline)
        except ConditionFailedError as failed:
            found = failed.found[0]
        else:
            return array_id
    array_id = Lookup.from_raw_data(found or {}).id
    known = Array(keys.array(array_id), keys.ARRAY)
    reach(lambda: known.update([Array.max_concurrently_running.set(max_concurrently_running)]), deadline)
    return array_id


def bind_resources(queue_id: int, task_resources_type_id: str | None, requested: Mapping[str, Any]) -> int:
    """The id of a new set of requested resources, stored for good."""
    deadline = Deadline()
    [task_resources_id] = allocate("task_resources", 1, deadline)
    item = Resources(
        keys.resources(task_resources_id),
        keys.RESOURCES,
        queue_id=queue_id,
        task_resources_type_id=task_resources_type_id,
        requested_resources=dict(requested),
    )
    reach(item.save, deadline)
    return task_resources_id


def bind_tasks(workflow_id: int, tasks: Mapping[str, TaskToBind]) -> dict[str, tuple[int, TaskStatus]]:
    """The id and status of each task, by the caller's name for it.

    Within a workflow a task is known by its node and arguments: bound again, it keeps its id, and starts over
    unless the rules let it stand. Whatever races, one task gets one id. A task that has expired is a new one, with a
    new id. What was bound stays bound when a later part fails; the same call again binds the rest.

    Raises:
        InvalidError: a task names an array that does not exist. Nothing was bound.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    _check_arrays(tasks, deadline)
    lookups = {
        name: Key(keys.task_lookup(workflow_id, task.node_id, task.task_args_hash), keys.LOOKUP)
        for name, task in tasks.items()
    }
    bindings = {lookups[name]: _Binding(workflow_id, lookups[name], task) for name, task in tasks.items()}
    _look_up(list(bindings.values()), deadline)
    _read_directories(bindings.values(), deadline)
    side_by_side(lambda group: _bind(group, deadline), _transaction_sized(bindings.values()))
    return {name: (bindings[lookup].task_id, bindings[lookup].status) for name, lookup in lookups.items()}


@dataclass(slots=True)
class _Binding:
    """One task on its way to being bound."""

    workflow_id: int
    lookup: Key
    task: TaskToBind
    new_id: int = 0
    """Given out for it, if it has needed one."""
    known_id: int = 0
    """What its lookup says, if there is one. The task may have expired."""
    seen: Task | None = None
    """How the task with that id stood when it was last read."""
    written: bool = False
    directories: tuple[str | None, str | None] = (None, None)

    @property
    def task_id(self) -> int:
        return self.known_id if self.seen else self.new_id

    @property
    def actions(self) -> int:
        """Of a transaction."""
        return 4 if self.known_id and not self.seen else 3

    @property
    def key(self) -> Key:
        return Key(keys.task(self.task_id), keys.TASK)

    @property
    def status(self) -> TaskStatus:
        return TaskStatus(self.seen.status) if self.seen and not self.written else TaskStatus.REGISTERING

    @property
    def settled(self) -> bool:
        if self.written or self.seen is None:
            return self.written
        status = TaskStatus(self.seen.status)
        fresh = status is TaskStatus.REGISTERING and self.seen.num_attempts == 0
        return (fresh and self.seen.bound_as == self.bound_as) or not is_reset_by_binding(
            status, reset_if_running=self.task.reset_if_running
        )

    @property
    def bound_as(self) -> str:
        return digest(repr((self.task, self.directories)))

    @property
    def spec_version(self) -> int:
        return self.seen.spec_version + 1 if self.seen else 1

    def add_to(self, transaction: TransactWrite, at: float) -> None:
        if self.seen:
            self._start_over(transaction, self.seen, at)
        else:
            self._make(transaction, at)
        transaction.save(self._spec(at))

    def _make(self, transaction: TransactWrite, at: float) -> None:
        unclaimed = Lookup.pk.does_not_exist()
        if self.known_id:
            unclaimed |= Lookup.id == self.known_id
            gone = Task.pk.does_not_exist() | (Task.expires_at <= at)
            transaction.condition_check(Task, keys.task(self.known_id), keys.TASK, gone)
        transaction.save(Lookup(*self.lookup, id=self.task_id, expires_at=expiry(at)), unclaimed)
        transaction.save(
            Task(
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
                expires_at=expiry(at),
            )
        )

    def _start_over(self, transaction: TransactWrite, seen: Task, at: float) -> None:
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
                *Task.renewed(at),
            ],
            (Task.status == seen.status) & (Task.spec_version == seen.spec_version),
        )

    def _spec(self, at: float) -> Spec:
        stdout_dir, stderr_dir = self.directories
        return Spec(
            self.key.pk,
            keys.SPEC,
            spec_version=self.spec_version,
            name=self.task.name,
            command=self.task.command,
            workflow_id=self.workflow_id,
            array_id=self.task.array_id,
            task_resources_id=self.task.task_resources_id,
            stdout_dir=stdout_dir,
            stderr_dir=stderr_dir,
            expires_at=expiry(at),
        )


def _check_arrays(tasks: Mapping[str, TaskToBind], deadline: Deadline) -> None:
    wanted = {name: Key(keys.array(task.array_id), keys.ARRAY) for name, task in tasks.items()}
    known = fetch(wanted.values(), deadline, consistent=True)
    unknown = [name for name, array in wanted.items() if array not in known]
    if unknown:
        raise InvalidError(
            [FieldError(f"tasks.{name}.array_id", f"array {tasks[name].array_id} does not exist") for name in unknown]
        )


def _look_up(bindings: Sequence[_Binding], deadline: Deadline) -> None:
    """See which tasks there are, and give an id to those that are new or have expired.

    An expired task's own id is never used again: its instances' numbers went with it.
    """
    lookups = fetch((binding.lookup for binding in bindings), deadline, consistent=True)
    for binding in bindings:
        raw = lookups.get(binding.lookup)
        binding.known_id = Lookup.from_raw_data(raw).id if raw else 0
    known = {Key(keys.task(binding.known_id), keys.TASK) for binding in bindings if binding.known_id}
    tasks = {key: Task.from_raw_data(raw) for key, raw in fetch(known, deadline, consistent=True).items()}
    at = now()
    for binding in bindings:
        task = tasks.get(Key(keys.task(binding.known_id), keys.TASK))
        binding.seen = task if task and not task.has_expired(at) else None
    new = [binding for binding in bindings if not binding.seen and not binding.new_id]
    for binding, task_id in zip(new, allocate("task", len(new), deadline) if new else (), strict=True):
        binding.new_id = task_id


def _read_directories(bindings: Iterable[_Binding], deadline: Deadline) -> None:
    bindings = list(bindings)
    wanted = {binding.task.task_resources_id for binding in bindings}
    directories = read_directories(wanted, deadline)
    for binding in bindings:
        binding.directories = directories.get(binding.task.task_resources_id, (None, None))


def _transaction_sized(bindings: Iterable[_Binding]) -> Iterator[list[_Binding]]:
    group: list[_Binding] = []
    taken = 0
    for binding in bindings:
        takes = size(binding.task.command)
        if group and (len(group) == TASKS_PER_TRANSACTION or taken + takes > BYTES_PER_TRANSACTION):
            yield group
            group, taken = [], 0
        group.append(binding)
        taken += takes
    if group:
        yield group


def _bind(group: Sequence[_Binding], deadline: Deadline) -> None:
    while pending := _that_fit([binding for binding in group if not binding.settled]):
        at = now()

        def build(transaction: TransactWrite) -> None:
            for binding in pending:  # called at once
                binding.add_to(transaction, at)  # noqa: B023  # called at once

        try:
            transact(build, deadline)
        except ConditionFailedError as failed:
            if deadline.passed():
                raise ContentionError("others kept binding the same tasks; send it again") from failed
            _look_up(pending, deadline)
        else:
            for binding in pending:
                binding.written = True


def _that_fit(pending: Sequence[_Binding]) -> Sequence[_Binding]:
    """As many of them as one transaction holds."""
    return pending[: ACTIONS_PER_TRANSACTION // max((binding.actions for binding in pending), default=1)]
