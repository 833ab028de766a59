"""Giving tasks their next attempt: the task moves to QUEUED and its new instance appears, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pynamodb.transactions import TransactWrite

from lockstep import keys
from lockstep.clock import BULK_BUDGET_SECONDS, HEARTBEAT_BUFFER_SECONDS, Deadline, expiry, now
from lockstep.errors import ContentionError, ExhaustedError, NotFoundError
from lockstep.items import Array, Batch, Task, TaskInstance
from lockstep.keys import BatchAttention
from lockstep.observability import count
from lockstep.statuses import TaskInstanceStatus, TaskStatus
from lockstep.table import ConditionFailedError, Key, chunks, fetch, reach, side_by_side, transact
from lockstep.transitions import may_queue

TASKS_PER_BATCH: Final = 1_000
TASKS_PER_TRANSACTION: Final = 49
"""Two items each, and the batch's own; a transaction holds 100 actions."""
GROWS_SECONDS: Final = 30.0
"""How long a batch that takes several transactions is kept from the distributor if the last of them never comes."""


def queue_tasks(
    array_id: int, task_ids: Sequence[int], task_resources_id: int, workflow_run_id: int
) -> dict[TaskStatus, list[int]]:
    """Queue those tasks of the array that may be queued, and answer all that exist by the status that stands.

    Steps run from 0 without a gap in the order of task ids, whatever races; two callers that queue one task at
    once make one instance of it. Repeating the call queues what is left.

    Raises:
        ExhaustedError: a task has had all the instances that its ids can number. Nothing was queued.
        NotFoundError: there is no such array, and yet a task says it is in it.
        UnavailableError: some may be queued already.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    tasks = _read_tasks(task_ids, array_id, deadline)
    ready = [task for task in tasks.values() if task.ready(array_id)]
    _check_numbers_left(ready)
    if ready:
        batches = list(chunks(sorted(ready, key=lambda task: task.task_id), TASKS_PER_BATCH))
        last = _reserve_batches(array_id, len(batches), deadline)
        numbered = enumerate(batches, last - len(batches) + 1)
        fill = partial(_fill, array_id, task_resources_id, workflow_run_id, deadline)
        side_by_side(lambda batch: fill(*batch), numbered)
    count("Queued", sum(task.queued for task in ready))
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    for task_id in sorted(tasks):
        by_status[tasks[task_id].status].append(task_id)
    return dict(by_status)


@dataclass(slots=True)
class _QueuedTask:
    """A task on its way to its next instance."""

    seen: Task
    queued: bool = False

    @property
    def task_id(self) -> int:
        return int(self.seen.pk.removeprefix("TASK#"))

    @property
    def number(self) -> int:
        """Of the next instance."""
        return self.seen.num_instances + 1

    @property
    def status(self) -> TaskStatus:
        return TaskStatus.QUEUED if self.queued else TaskStatus(self.seen.status)

    @property
    def exhausted(self) -> bool:
        return self.number > keys.MAX_INSTANCE_NUMBER

    def ready(self, array_id: int) -> bool:
        return may_queue(self.status) and self.seen.array_id == array_id


def _read_tasks(task_ids: Sequence[int], array_id: int, deadline: Deadline) -> dict[int, _QueuedTask]:
    """Cheap reads first: the write finds out where they lag. What would not be written is read consistently."""
    wanted = {Key(keys.task(task_id), keys.TASK) for task_id in task_ids if 0 < task_id <= keys.MAX_ID}
    found = {
        key: _QueuedTask(Task.from_raw_data(raw)) for key, raw in fetch(wanted, deadline, consistent=False).items()
    }
    doubtful = [key for key in wanted if key not in found or not found[key].ready(array_id)]
    again = fetch(doubtful, deadline, consistent=True)
    found |= {key: _QueuedTask(Task.from_raw_data(raw)) for key, raw in again.items()}
    return {task.task_id: task for task in found.values()}


def _check_numbers_left(ready: Sequence[_QueuedTask]) -> None:
    exhausted = [task.task_id for task in ready if task.exhausted]
    if exhausted:
        raise ExhaustedError(
            f"task_ids: {exhausted} had all of their {keys.MAX_INSTANCE_NUMBER} instances; nothing was queued"
        )


def _reserve_batches(array_id: int, count: int, deadline: Deadline) -> int:
    """The last of so many batch numbers that nobody else is given."""
    array = Array(keys.array(array_id), keys.ARRAY)
    try:
        reach(lambda: array.update([Array.num_batches.add(count)], Array.pk.exists()), deadline)
    except ConditionFailedError:
        raise NotFoundError(f"array {array_id} does not exist") from None
    return array.num_batches


def _fill(
    array_id: int,
    task_resources_id: int,
    workflow_run_id: int,
    deadline: Deadline,
    batch_num: int,
    tasks: Sequence[_QueuedTask],
) -> None:
    """One transaction after another, so that each knows how many steps there are before its own."""
    batch = Batch(
        keys.batch(array_id, batch_num),
        keys.BATCH,
        size=0,
        num_instances=0,
        task_resources_id=task_resources_id,
        workflow_run_id=workflow_run_id,
        seen="",
        attention=str(BatchAttention(now() + HEARTBEAT_BUFFER_SECONDS, waiting=True)),
    )
    batch.grows_until = now() + GROWS_SECONDS
    steps = list(chunks(tasks, TASKS_PER_TRANSACTION))
    for chunk in steps[:-1]:
        _append(batch, array_id, batch_num, chunk, deadline)
    batch.grows_until = None
    _append(batch, array_id, batch_num, steps[-1], deadline)


def _append(batch: Batch, array_id: int, batch_num: int, tasks: Sequence[_QueuedTask], deadline: Deadline) -> None:
    """Let the batch grow by the steps of those tasks that nobody else queued meanwhile."""
    while pending := [task for task in tasks if task.ready(array_id) and not task.exhausted]:
        build = partial(_add_steps, batch=batch, array_id=array_id, batch_num=batch_num, tasks=pending, at=now())
        try:
            transact(build, deadline)
        except ConditionFailedError as failed:
            if deadline.passed():
                raise ContentionError("others kept changing the same tasks; send it again") from failed
            _learn(batch, pending, failed)
        else:
            batch.size += len(pending)
            for task in pending:
                task.queued = True


def _learn(batch: Batch, pending: Sequence[_QueuedTask], failed: ConditionFailedError) -> None:
    """Somebody else queued some of them, or this very write had landed and its reply was lost."""
    found = [raw for raw in failed.found if raw]
    seen = {raw["pk"]["S"]: Task.from_raw_data(raw) for raw in found if raw["sk"]["S"] == keys.TASK}
    for task in pending:
        task.seen = seen.get(task.seen.pk, task.seen)
    for raw in found:
        if raw["sk"]["S"] == batch.sk:
            batch.size = Batch.from_raw_data(raw).size


def _add_steps(
    transaction: TransactWrite, batch: Batch, array_id: int, batch_num: int, tasks: Sequence[_QueuedTask], at: float
) -> None:
    first = batch.size
    for step, task in enumerate(tasks, first):
        transaction.save(
            TaskInstance(
                task.seen.pk,
                keys.instance(task.number),
                status=TaskInstanceStatus.QUEUED,
                status_date=at,
                workflow_run_id=batch.workflow_run_id,
                array_id=array_id,
                array_batch_num=batch_num,
                array_step=keys.array_step(array_id, batch_num, step),
                array_step_id=step,
                task_resources_id=batch.task_resources_id,
                spec_version=task.seen.spec_version,
                expires_at=expiry(at),
            )
        )
        transaction.update(
            Task(task.seen.pk, keys.TASK),
            [
                Task.status.set(TaskStatus.QUEUED),
                Task.status_date.set(at),
                Task.num_attempts.add(1),
                Task.num_instances.set(task.number),
                *Task.renewed(at),
            ],
            (Task.status == task.seen.status)
            & (Task.num_instances == task.seen.num_instances)
            & (Task.spec_version == task.seen.spec_version)
            & (Task.array_id == array_id),
            return_values="ALL_OLD",
        )
    transaction.update(
        Batch(batch.pk, batch.sk),
        [
            Batch.size.set(first + len(tasks)),
            Batch.num_instances.set(first + len(tasks)),
            Batch.task_resources_id.set(batch.task_resources_id),
            Batch.workflow_run_id.set(batch.workflow_run_id),
            Batch.seen.set(TaskInstanceStatus.QUEUED * (first + len(tasks))),
            Batch.attention.set(batch.attention),
            Batch.grows_until.set(batch.grows_until) if batch.grows_until else Batch.grows_until.remove(),
            *Batch.renewed(at),
        ],
        Batch.size == first if first else Batch.pk.does_not_exist(),
        return_values="ALL_OLD",
    )
