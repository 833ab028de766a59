"""A task that is being bound: its id, whether it is created, reset or kept, and what a transaction writes of it."""

from dataclasses import dataclass
from typing import Final

from pynamodb.transactions import TransactWrite

from lockstep.clock import expiry
from lockstep.dynamodb.item import Key
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import is_reset_by_binding
from lockstep.task.bound_item import Spec, TaskLookup
from lockstep.task.item import Task, starts_over
from lockstep.task.specs import Specification
from lockstep.task.to_bind import TaskToBind
from lockstep.text import digest, size

_BYTES_BESIDE_TEXT: Final = 1_000
"""The bytes that the items of one task take at most beside the caller's texts."""


@dataclass(slots=True)
class Binding:
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
    """The shard of the workflow's change feed that lists it, if it is new."""
    known_id: int = 0
    """The id in the task's lookup, else 0. The task with this id may have expired."""
    stored: Task | None = None
    """The task with known_id as it was last read."""
    written: bool = False

    @property
    def task_id(self) -> int:
        return self.known_id if self.stored else self.new_id

    @property
    def actions(self) -> int:
        """The actions that it adds to a transaction, at most."""
        if self.stored:
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
        return TaskStatus(self.stored.status) if self.stored and not self.written else TaskStatus.REGISTERING

    @property
    def done(self) -> bool:
        """Whether no write is needed: the task was written, or it stays as it is."""
        if self.written or self.stored is None:
            return self.written
        status = TaskStatus(self.stored.status)
        return (self.stored.is_fresh and self.stored.bound_as == self.bound_as) or not is_reset_by_binding(
            status, reset_if_running=self.task.reset_if_running
        )

    @property
    def bound_as(self) -> str:
        return digest(repr((self.task, (self.spec.stdout_dir, self.spec.stderr_dir))))

    @property
    def spec_version(self) -> int:
        return self.stored.spec_version + 1 if self.stored else 1

    def add_to(self, transaction: TransactWrite, at: float) -> None:
        if self.stored:
            self._reset(transaction, self.stored, at)
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

    def _reset(self, transaction: TransactWrite, stored: Task, at: float) -> None:
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
            (Task.status == stored.status) & (Task.spec_version == stored.spec_version),
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
