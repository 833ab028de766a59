"""What must hold of the table after a request, whatever failed: the invariants, and the moves that the rules allow."""

from collections.abc import Iterator, Mapping
from functools import cache

from lockstep.array.item import Batch
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import may_queue
from lockstep.task.item import Task
from lockstep.task_instance.item import TaskInstance
from ops.audit.invariants.batch import lateness
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.pairs import Pair, steps
from ops.audit.small import check_table
from tests.support.memory.expressions import Item
from tests.support.memory.operations import Key

TI = TaskInstanceStatus
Statuses = tuple[TaskInstanceStatus, TaskStatus]


@cache
def reachable(statuses: Statuses) -> frozenset[Statuses]:
    """The statuses of an instance and its task that reports can lead to; and the task's, once it is bound again."""
    reached = {Pair(*statuses, attempts_left=left) for left in (False, True)}
    ahead = [*reached]
    while ahead:
        following = steps(ahead.pop(), rebound=True) - reached
        reached |= following
        ahead += following
    return frozenset((pair.task_instance, pair.task) for pair in reached if pair.task_instance)


def violations(before: Mapping[Key, Item], after: Mapping[Key, Item]) -> list[str]:
    """The invariants that a request broke, and the moves that no rule allows."""
    broken_before = {_invariant(finding) for finding in check_table(before)}
    broken = [str(finding) for finding in check_table(after) if _invariant(finding) not in broken_before]
    return [*broken, *(line for pk, sk in after if sk == Task.SORT_KEY for line in _moves(pk, before, after))]


def _invariant(finding: Finding) -> tuple[str, str]:
    """The name of the invariant and the item: a task that is in an unreachable pair may move to another one."""
    return finding.check, finding.about.partition(",")[0]


def _moves(pk: str, before: Mapping[Key, Item], after: Mapping[Key, Item]) -> Iterator[str]:
    """A task and its latest instance went where the rules lead. A new instance was queued, and its task with it."""
    task = after[pk, Task.SORT_KEY]
    latest = pk, TaskInstance.sort_key(int(task["num_instances"]["N"]))
    if latest not in after:
        return
    old_task, old_instance = before.get((pk, Task.SORT_KEY)), before.get(latest)
    start = TI.QUEUED, TaskStatus.QUEUED
    if old_instance and old_task:
        start = TI(old_instance["status"]["S"]), TaskStatus(old_task["status"]["S"])
    elif old_task and not may_queue(TaskStatus(old_task["status"]["S"])):
        yield f"{pk} was queued in {old_task['status']['S']}"
    end = TI(after[latest]["status"]["S"]), TaskStatus(task["status"]["S"])
    if end not in reachable(start):
        yield f"{pk} went from {'/'.join(start)} to {'/'.join(end)}"
    if old_task:
        had, has = (int(each["num_attempts"]["N"]) for each in (old_task, task))
        if has not in {0, had + (old_instance is None)}:
            yield f"{pk} had {had} attempts and has {has}"


def due_too_late(after: Mapping[Key, Item], at: float, slack: float) -> list[str]:
    """The instances whose batch is checked only after they are overdue: none, once their report was answered."""
    instances = [
        TaskInstance.from_raw_data(dict(raw))
        for raw in after.values()
        if "array_step_id" in raw and raw["status"]["S"] in {TI.RUNNING, TI.LAUNCHED}
    ]
    late = {f"{each.pk}, {each.sk}": lateness(_batch(after, each), each, at) for each in instances}
    return [f"the batch of {name} is due {seconds} s too late" for name, seconds in late.items() if seconds > slack]


def _batch(items: Mapping[Key, Item], instance: TaskInstance) -> Batch:
    return Batch.from_raw_data(dict(items[Batch.key(instance.array_id, instance.array_batch_num)]))
