"""What must hold of the table whatever went wrong: a function of its items, made of the layer's own rules."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from lockstep.array.item import Array, Batch, BatchAttention, batch_of
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import has_ended, may_become, may_queue
from lockstep.task.item import Spec, Task
from lockstep.task_instance.item import MAX_ERROR_BYTES, ErrorEntry, TaskInstance, array_step_key, attention_flag
from lockstep.text import digest, size
from lockstep.workflow_run.sweep import next_check
from ops.audit.closure import Pair, steps
from tests.memory.expressions import Item
from tests.memory.operations import Key

TI = TaskInstanceStatus
Stand = tuple[TaskInstanceStatus, TaskStatus]

NEW: Final[Stand] = TI.QUEUED, TaskStatus.QUEUED


@cache
def reachable(stand: Stand) -> frozenset[Stand]:
    """Where an instance and its task can be once reports have come; and the task, once it has been bound again."""
    reached = {Pair(*stand, attempts_left=left) for left in (False, True)}
    ahead = [*reached]
    while ahead:
        following = steps(ahead.pop(), rebound=True) - reached
        reached |= following
        ahead += following
    return frozenset((pair.task_instance, pair.task) for pair in reached if pair.task_instance)


def violations(before: Mapping[Key, Item], after: Mapping[Key, Item]) -> list[str]:
    """What is wrong with a table that was so before; nothing is, if all is well."""
    return [*_of_tasks(before, after), *_of_instances(after), *_of_batches(after)]


def _of_tasks(before: Mapping[Key, Item], after: Mapping[Key, Item]) -> Iterator[str]:
    """The pairs can be where they are, and each number that was given out is one instance."""
    for (pk, sk), raw in after.items():
        if sk != Task.SORT_KEY:
            continue
        task = Task.from_raw_data(_copy(raw))
        if (pk, Spec.SORT_KEY) not in after:
            yield f"{pk} has no specification"
        elif Spec.from_raw_data(_copy(after[pk, Spec.SORT_KEY])).spec_version != task.spec_version:
            yield f"{pk} has another binding's specification"
        for number in range(1, task.num_instances + 1):
            instance, was = (
                after.get((pk, TaskInstance.sort_key(number))),
                before.get((pk, TaskInstance.sort_key(number))),
            )
            if instance is None and number == task.num_instances:
                yield f"{pk} has no instance {number}"
            elif instance is not None and number == task.num_instances:
                yield from _of_pair(pk, (was, before.get((pk, sk))), (instance, raw))


def _of_pair(pk: str, was: tuple[Item | None, Item | None], pair: tuple[Item, Item]) -> Iterator[str]:
    """By what the layer may do with them: an instance that is new was queued, and its task with it."""
    old_instance, old_task = was
    start = NEW
    if old_instance and old_task:
        start = TI(old_instance["status"]["S"]), TaskStatus(old_task["status"]["S"])
    elif old_task and not may_queue(TaskStatus(old_task["status"]["S"])):
        yield f"{pk} was queued in {old_task['status']['S']}"
    there = TI(pair[0]["status"]["S"]), TaskStatus(pair[1]["status"]["S"])
    if there not in reachable(start):
        yield f"{pk} went from {'/'.join(start)} to {'/'.join(there)}"
    attempts = [int(item["num_attempts"]["N"]) for item in (old_task, pair[1]) if item]
    grown = old_instance is None and old_task is not None
    if len(attempts) == 2 and attempts[1] != attempts[0] + grown and attempts[1] != 0:
        yield f"{pk} had {attempts[0]} attempts and has {attempts[1]}"


def _of_instances(after: Mapping[Key, Item]) -> Iterator[str]:
    """What is kept twice agrees, and what belongs to an instance has one."""
    for (pk, sk), raw in after.items():
        if not sk.startswith("TI#"):
            continue
        number = sk.split("#")[1]
        if (pk, f"TI#{number}") not in after or (pk, Task.SORT_KEY) not in after:
            yield f"{pk} {sk} belongs to nothing"
        elif "#ERR#" in sk:
            entry = ErrorEntry.from_raw_data(_copy(raw))
            if size(entry.description) < MAX_ERROR_BYTES and not sk.endswith(f"#{digest(entry.description)}"):
                yield f"{pk} {sk} is not the key of {entry.description!r}"
        elif "#LOG" not in sk:
            yield from _of_instance(pk, TaskInstance.from_raw_data(_copy(raw)))


def _of_instance(pk: str, instance: TaskInstance) -> Iterator[str]:
    status = TI(instance.status)
    if instance.attention != (attention_flag(status) if status in NEEDS_ATTENTION else None):
        yield f"{pk} {instance.sk} is {status.name} and stands in the run index under {instance.attention}"
    where = array_step_key(instance.array_id, instance.array_batch_num, instance.array_step_id)
    if instance.array_step != where:
        yield f"{pk} {instance.sk} stands in the array-step index under {instance.array_step}"


def _of_batches(after: Mapping[Key, Item]) -> Iterator[str]:
    """Steps have no gap, and what a batch says of them is so, or was."""
    members: dict[str, list[TaskInstance]] = defaultdict(list)
    for (_, sk), raw in after.items():
        if "array_step_id" in raw and sk.startswith("TI#"):
            instance = TaskInstance.from_raw_data(_copy(raw))
            members[Batch.key(instance.array_id, instance.array_batch_num).pk].append(instance)
    for pk, instances in members.items():
        if (pk, Batch.SORT_KEY) not in after:
            yield f"{pk} does not exist"
            continue
        batch = Batch.from_raw_data(_copy(after[pk, Batch.SORT_KEY]))
        steps = Counter(int(instance.array_step_id) for instance in instances)
        if sorted(steps.elements()) != list(range(batch.size)):
            yield f"{pk} has steps {sorted(steps.elements())} and a size of {batch.size}"
        elif len(batch.seen) != batch.size or batch.num_instances != batch.size:
            yield f"{pk} has seen {batch.seen} of {batch.size}, {batch.num_instances} in number"
        else:
            yield from _of_what_was_seen(batch, instances)
    for (pk, sk), raw in after.items():
        if sk == Batch.SORT_KEY and pk not in members:
            yield f"{pk} has no instances: {raw}"
        if sk == Batch.SORT_KEY and int(after[Array.key(batch_of(pk)[0])]["num_batches"]["N"]) < (batch_of(pk)[1]):
            yield f"{pk} has a number that will be given out again"


def _of_what_was_seen(batch: Batch, instances: list[TaskInstance]) -> Iterator[str]:
    for instance in instances:
        letter = TI(batch.seen[instance.array_step_id])
        if not may_become(letter, TI(instance.status)):
            yield f"{batch.pk} has seen {letter.name} of {instance.pk}, which is {instance.status}"
    ended = all(has_ended(TI(instance.status)) for instance in instances)
    if not ended and not batch.attention:
        yield f"{batch.pk} holds instances that have not ended and is in no index"


def due_too_late(after: Mapping[Key, Item], at: float, slack: float) -> list[str]:
    """Batches that are looked at only after an instance of theirs is overdue: never, once its report was answered."""
    late = []
    for raw in after.values():
        if "array_step_id" not in raw or raw["status"]["S"] not in {TI.RUNNING, TI.LAUNCHED}:
            continue
        instance = TaskInstance.from_raw_data(_copy(raw))
        pk = Batch.key(instance.array_id, instance.array_batch_num).pk
        batch = Batch.from_raw_data(_copy(after[pk, Batch.SORT_KEY]))
        due = BatchAttention.parse(batch.attention).due if batch.attention else float("inf")
        if due > max(next_check(instance, at), at) + slack:
            late.append(f"{pk} is due at {due} and {instance.pk} at {next_check(instance, at)}")
    return late


def _copy(raw: Item) -> dict[str, dict[str, Any]]:
    return {name: dict(value) for name, value in raw.items()}
