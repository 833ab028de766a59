"""Whether the table holds what the programs were told, for every task and every instance."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lockstep.fsm.statuses import TERMINAL_TASK_STATUSES, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import has_ended
from lockstep.task_instance.item import INSTANCES_PER_TASK
from ops.audit.invariants.task import TaskItems
from ops.audit.reader import Reader
from sim.record import Instance, Record

TI = TaskInstanceStatus

OF_LOCKSTEP: Final = ("Workflow resume requested. Setting to ", "Nobody settled it in ")
"""The beginnings of error entries that no caller has sent."""


def partitions(reader: Reader) -> Iterator[TaskItems]:
    """Read all tasks."""
    return (TaskItems.parse(pk, raws) for pk, raws in reader.partitions() if pk.startswith("TASK#"))


def unended(reader: Reader) -> Counter[str]:
    """Count the instances that have not ended, by status."""
    statuses = (instance.status for found in partitions(reader) for instance in found.instances.values())
    return Counter(status for status in statuses if not has_ended(TI(status)))


def judge(found: TaskItems, record: Record) -> Iterator[str]:
    """Yield a line for each difference from what was told."""
    statuses = {found.id_of(number): TI(instance.status) for number, instance in found.instances.items()}
    if found.task is None:
        yield f"task {found.task_id} is gone"
        return
    if found.task.status not in TERMINAL_TASK_STATUSES:
        yield f"task {found.task_id} has not ended: {found.task.status}, instances {' '.join(statuses.values())}"
    latest = statuses.get(found.id_of(found.task.num_instances))
    if (found.task.status == TaskStatus.DONE) != (latest is TI.DONE):
        yield f"task {found.task_id} is {found.task.status}, its instances are {' '.join(statuses.values())}"
    for task_instance_id, status in statuses.items():
        told = record.instances[task_instance_id]
        yield from _judge_end(task_instance_id, status, told)
        number = task_instance_id % INSTANCES_PER_TASK
        texts = [words for _, words in found.said(number) if words is not None]
        yield from _judge_entries(task_instance_id, texts, told)


def _judge_end(task_instance_id: int, status: TaskInstanceStatus, told: Instance) -> Iterator[str]:
    if told.end not in {None, status}:
        yield f"{task_instance_id} is {status}; somebody was told that it ended in {told.end}"
    if status is TI.DONE and not told.done_reported:
        yield f"{task_instance_id} is done, and no worker has said so"
    if not has_ended(status):
        yield f"{task_instance_id} has not ended: it is {status}"


def _judge_entries(task_instance_id: int, texts: list[str], told: Instance) -> Iterator[str]:
    twice = [words for words, times in Counter(texts).items() if times > 1]
    missing = told.must_say - set(texts)
    strange = [each for each in texts if each not in told.may_say and not each.startswith(OF_LOCKSTEP)]
    for kind, words in (("twice", twice), ("missing", sorted(missing)), ("said by nobody", strange)):
        if words:
            yield f"{task_instance_id} has error entries {kind}: {words}"
