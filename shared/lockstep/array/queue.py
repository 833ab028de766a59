"""Give tasks their next attempt: a task moves to QUEUED and its new instance is created, in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from lockstep.array.item import Array, Batch, NextCheck, batch_listed_as, listed_in
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, expiry, now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, Transaction, reach, transact
from lockstep.dynamodb.item import MAX_ID, Key, RawItem
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.errors import ContentionError, NotFoundError
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import may_queue
from lockstep.fsm.workflow_run import MAY_QUEUE
from lockstep.observability import count, record_move, record_refusal
from lockstep.task.item import Task, feed_changes
from lockstep.task_instance.item import MAX_INSTANCE_NUMBER, TaskInstance, array_step_key
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import is_in_or_unknown

TASKS_PER_BATCH: Final = 1_000
TASKS_PER_TRANSACTION: Final = 49
"""Each task takes two actions, the batch and its run one each; a transaction holds 100."""
GROWS_SECONDS: Final = 30.0
"""The seconds that a batch of several transactions stays hidden from the distributor if its last transaction fails."""


def queue_tasks(
    array_id: int, task_ids: Sequence[int], task_resources_id: int, workflow_run_id: int
) -> dict[TaskStatus, list[int]]:
    """Queue the tasks of the array that may be queued, and return all that exist by their current status.

    A task that has used all its instance numbers keeps its status. So do all if the run has ended, or ends for a
    resume.
    A batch's steps follow the order of task ids, from 0 without a gap, even if callers race. Two callers that queue one
    task at the same time create one instance. The same call again queues the tasks that are left.

    Raises:
        NotFoundError: the array does not exist, although a task names it.
        UnavailableError: some tasks may be queued already.
    """
    tasks = _read_tasks(task_ids, array_id)
    ready = [task for task in tasks.values() if task.ready(array_id)]
    count("Exhausted", sum(task.exhausted and may_queue(task.status) for task in tasks.values()))
    if ready:
        batches = list(chunks(sorted(ready, key=lambda task: task.task_id), TASKS_PER_BATCH))
        last = _reserve_batches(array_id, len(batches))
        numbered = enumerate(batches, last - len(batches) + 1)
        fill = partial(_fill, array_id, task_resources_id, workflow_run_id)
        run_parallel(lambda batch: fill(*batch), numbered)
    _record_refusals(array_id, task_ids, tasks)
    queued = sum(task.queued for task in ready)
    count("Queued", queued)
    record_move(None, TaskInstanceStatus.QUEUED.name, queued)
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    for task_id in sorted(tasks):
        by_status[tasks[task_id].status].append(task_id)
    return dict(by_status)


def _record_refusals(array_id: int, task_ids: Sequence[int], tasks: Mapping[int, "_QueuedTask"]) -> None:
    """Record why tasks are not queued. Of two callers that queue one task, one hears that it is QUEUED."""
    record_refusal("it does not exist", len(set(task_ids) - tasks.keys()))
    for task in tasks.values():
        if task.status is TaskStatus.QUEUED:
            continue
        if task.stored.array_id != array_id:
            record_refusal("it is of another array")
        elif not may_queue(task.status):
            record_refusal(f"{task.status.name} never becomes QUEUED")
        elif task.exhausted:
            record_refusal(f"it has had {MAX_INSTANCE_NUMBER} instances")
        else:
            record_refusal("its workflow run has ended, or ends for a resume")


@dataclass(slots=True)
class _QueuedTask:
    """A task that is being queued."""

    stored: Task
    queued: bool = False

    @property
    def task_id(self) -> int:
        return int(self.stored.pk.removeprefix("TASK#"))

    @property
    def number(self) -> int:
        """The number of its next instance."""
        return self.stored.num_instances + 1

    @property
    def status(self) -> TaskStatus:
        return TaskStatus.QUEUED if self.queued else TaskStatus(self.stored.status)

    @property
    def exhausted(self) -> bool:
        return self.number > MAX_INSTANCE_NUMBER

    def ready(self, array_id: int) -> bool:
        return may_queue(self.status) and not self.exhausted and self.stored.array_id == array_id


def _read_tasks(task_ids: Sequence[int], array_id: int) -> dict[int, _QueuedTask]:
    """Read tasks, eventually consistent: the write detects a lag. Read again, consistently, those not to be queued."""
    wanted = {Task.key(task_id) for task_id in task_ids if 0 < task_id <= MAX_ID}
    found = {key: _QueuedTask(Task.from_raw_data(raw)) for key, raw in fetch(wanted, consistent=False).items()}
    doubtful = [key for key in wanted if key not in found or not found[key].ready(array_id)]
    again = fetch(doubtful, consistent=True)
    found |= {key: _QueuedTask(Task.from_raw_data(raw)) for key, raw in again.items()}
    return {task.task_id: task for task in found.values()}


def _reserve_batches(array_id: int, how_many: int) -> int:
    """Reserve consecutive batch numbers, and return the last. The update shows the array as it is after it."""
    array = Array(*Array.key(array_id))
    try:
        reach(lambda: array.update([Array.num_batches.add(how_many)], Array.pk.exists()))
    except ConditionFailedError:
        raise NotFoundError(f"array {array_id} does not exist") from None
    return array.num_batches


@dataclass(slots=True)
class _Filling:
    """A batch that is being filled."""

    array_id: int
    batch_num: int
    task_resources_id: int
    workflow_run_id: int
    attention: str
    """A NextCheck as text."""
    size: int = 0
    """The steps that it has."""
    grows_until: float | None = None
    """The time until which steps may be added. None: the next ones are the last."""

    @property
    def key(self) -> Key:
        return Batch.key(self.array_id, self.batch_num)


def _fill(
    array_id: int,
    task_resources_id: int,
    workflow_run_id: int,
    batch_num: int,
    tasks: Sequence[_QueuedTask],
) -> None:
    """Fill a batch, one transaction after another, because the steps of each follow those of the one before."""
    attention = str(NextCheck(now() + HEARTBEAT_BUFFER_SECONDS, waiting=True))
    batch = _Filling(array_id, batch_num, task_resources_id, workflow_run_id, attention)
    batch.grows_until = now() + GROWS_SECONDS
    *earlier, last = chunks(tasks, TASKS_PER_TRANSACTION)
    for some in earlier:
        _append(batch, some)
    batch.grows_until = None
    _append(batch, last)


def _append(batch: _Filling, tasks: Sequence[_QueuedTask]) -> None:
    """Add a step to the batch for each task that no other caller has queued meanwhile, unless the run has ended."""
    while pending := [task for task in tasks if task.ready(batch.array_id)]:
        try:
            transact(partial(_add_steps, batch=batch, tasks=pending, at=now()))
        except ConditionFailedError as failed:
            of_run, *of_others = failed.found
            if of_run is not None:
                return
            if deadline().passed():
                raise ContentionError("other callers kept changing the same tasks; send it again") from failed
            _refresh(batch, pending, filter(None, of_others))
        else:
            batch.size += len(pending)
            for task in pending:
                task.queued = True


def _refresh(batch: _Filling, pending: Sequence[_QueuedTask], found: Iterable[RawItem]) -> None:
    """Replace what was read by the items that rejected a write: other callers have changed them."""
    stored: dict[str, Task] = {}
    for raw in found:
        if raw["sk"]["S"] == Task.SORT_KEY:
            stored[raw["pk"]["S"]] = Task.from_raw_data(raw)
        elif raw["sk"]["S"] == batch.key.sk:
            batch.size = Batch.from_raw_data(raw).size
    for task in pending:
        task.stored = stored.get(task.stored.pk, task.stored)


def _add_steps(transaction: Transaction, batch: _Filling, tasks: Sequence[_QueuedTask], at: float) -> None:
    run = WorkflowRun.key(batch.workflow_run_id)
    transaction.condition_check(WorkflowRun, *run, is_in_or_unknown(MAY_QUEUE))
    same = _same_changes(at)
    for step, task in enumerate(tasks, batch.size):
        transaction.save(_new_instance(batch, step, task, at))
        transaction.change(Task.key(task.task_id), same + _own_changes(task, at), _is_as_stored(task.stored))
    unchanged = Batch.size == batch.size if batch.size else Batch.pk.does_not_exist()
    transaction.change(batch.key, _batch_changes(batch, tasks, at), unchanged)


def _new_instance(batch: _Filling, step: int, task: _QueuedTask, at: float) -> TaskInstance:
    return TaskInstance(
        task.stored.pk,
        TaskInstance.sort_key(task.number),
        status=TaskInstanceStatus.QUEUED,
        status_date=at,
        queued_at=at,
        workflow_run_id=batch.workflow_run_id,
        array_id=batch.array_id,
        array_batch_num=batch.batch_num,
        array_step=array_step_key(batch.array_id, batch.batch_num, step),
        array_step_id=step,
        task_resources_id=batch.task_resources_id,
        spec_version=task.stored.spec_version,
        expires_at=expiry(at),
    )


def _same_changes(at: float) -> list[Action]:
    """Return the changes that all tasks have in common."""
    changes = [Task.status.set(TaskStatus.QUEUED), Task.status_date.set(at), Task.num_attempts.add(1)]
    return changes + Task.renewed(at)


def _own_changes(task: _QueuedTask, at: float) -> list[Action]:
    return [Task.num_instances.set(task.number), *feed_changes(task.task_id, TaskStatus.QUEUED, at)]


def _is_as_stored(stored: Task) -> Condition:
    condition: Condition = (
        (Task.status == stored.status)
        & (Task.num_instances == stored.num_instances)
        & (Task.spec_version == stored.spec_version)
        & (Task.array_id == stored.array_id)
    )
    return condition


def _batch_changes(batch: _Filling, tasks: Sequence[_QueuedTask], at: float) -> list[Action]:
    size = batch.size + len(tasks)
    return [
        Batch.size.set(size),
        Batch.num_instances.set(size),
        Batch.task_resources_id.set(batch.task_resources_id),
        Batch.workflow_run_id.set(batch.workflow_run_id),
        Batch.seen.set(TaskInstanceStatus.QUEUED * size),
        Batch.noted_at.set(at),
        Batch.listed_in.set(listed_in(tasks[0].stored.workflow_id)),
        Batch.listed_as.set(batch_listed_as(batch.array_id, batch.batch_num)),
        Batch.attention.set(batch.attention),
        Batch.grows_until.set(batch.grows_until) if batch.grows_until else Batch.grows_until.remove(),
        *Batch.renewed(at),
    ]
