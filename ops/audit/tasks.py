"""A task, its specification, its instances and what was said of them: one partition, which must fit together."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lockstep import text
from lockstep.dynamodb.item import MAX_ID, Expiring, RawItem
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.task.item import Spec, Task
from lockstep.task_instance.item import (
    MAX_ERROR_BYTES,
    ErrorEntry,
    InstanceKey,
    Log,
    TaskInstance,
    array_step_key,
    attention_flag,
    split_task_instance_id,
)
from ops.audit.closure import Pair, reachable
from ops.audit.finding import Finding
from ops.audit.parsing import parse

MOST_NAMED: Final = 10
"""Numbers that one finding names."""


@dataclass(slots=True)
class Partition:
    """What there is of a task."""

    task_id: int
    task: Task | None = None
    spec: Spec | None = None
    instances: dict[int, TaskInstance] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)
    errors: dict[int, list[ErrorEntry]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, pk: str, raws: Iterable[RawItem]) -> "Partition":
        """All of a partition's items."""
        found = cls(_task_id(pk))
        for raw in raws:
            parsed = parse(raw)
            if isinstance(parsed, Finding):
                found.unreadable.append(parsed)
                continue
            match parsed.item:
                case Task() as task:
                    found.task = task
                case Spec() as spec:
                    found.spec = spec
                case TaskInstance() as instance:
                    found.instances[int(parsed.ids[1])] = instance
                case Log() as log:
                    found.logs.append(log)
                case ErrorEntry() as entry:
                    found.errors[int(parsed.ids[1])].append(entry)
        return found

    @property
    def expires(self) -> bool:
        """Whether parts of it may be gone already: DynamoDB deletes them in no order."""
        entries = [entry for entries in self.errors.values() for entry in entries]
        parts: list[Expiring | None] = [self.task, self.spec, *self.instances.values(), *self.logs, *entries]
        return any(part is not None and part.expires_at is not None for part in parts)

    def id_of(self, number: int) -> int:
        """Of the task's number-th instance."""
        return InstanceKey(self.task_id, number).id


def _task_id(pk: str) -> int:
    digits = pk.removeprefix("TASK#")
    return int(digits) if digits.isdecimal() else 0


def check(found: Partition) -> list[Finding]:
    """Everything that is wrong within it."""
    return [
        *found.unreadable,
        *_whole(found),
        *_numbers(found),
        *_attempts(found),
        *_binding(found),
        *_pairs(found),
        *(finding for number, instance in found.instances.items() for finding in _keys(found, number, instance)),
        *_errors(found),
    ]


def _whole(found: Partition) -> Iterator[Finding]:
    """Nothing is there without what it belongs to; what may have expired is not missed."""
    if found.expires or found.unreadable:
        return
    about = f"task {found.task_id}"
    if found.task is None:
        yield Finding("orphan", about, "without its TASK item", "whole")
    if found.spec is None:
        yield Finding("orphan", about, "without its SPEC item", "whole")
    said_of = {int(log.sk[3:6]) for log in found.logs} | found.errors.keys()
    for number in sorted(said_of - found.instances.keys()):
        yield Finding("orphan", f"task instance {found.id_of(number)}", "only what it said", "an instance too")


def _numbers(found: Partition) -> Iterator[Finding]:
    """Each attempt that was queued is there. Of a task that was seeded, earlier ones may never have been."""
    if found.task is None:
        return
    last, about = found.task.num_instances, f"task {found.task_id}"
    beyond = sorted(number for number in found.instances if not 1 <= number <= last)
    if beyond:
        yield Finding("instance-numbers", about, f"with instances {some(beyond)}", f"none outside 1 to {last}")
    if found.expires or found.unreadable:
        return
    expected = range(1, last + 1) if found.task.bound_as else range(max(1, last), last + 1)
    missing = [number for number in expected if number not in found.instances]
    if missing:
        yield Finding("instance-numbers", about, f"without instances {some(missing)}", f"all of 1 to {last}")


def _attempts(found: Partition) -> Iterator[Finding]:
    """A seeded task may have any number of attempts behind it. One attempt is given even where none is allowed."""
    task = found.task
    if task is None or not task.bound_as:
        return
    most = min(task.num_instances, max(1, task.max_attempts))
    if not 0 <= task.num_attempts <= most:
        limits = f"at most its {task.num_instances} instances and its {task.max_attempts} attempts"
        yield Finding("attempts", f"task {found.task_id}", f"at attempt {task.num_attempts}", limits)


def _binding(found: Partition) -> Iterator[Finding]:
    """Task and specification are of one binding, and no instance of a later one."""
    task, spec = found.task, found.spec
    if task is None:
        return
    version = task.spec_version
    if spec and (spec.spec_version, spec.array_id, spec.workflow_id) != (version, task.array_id, task.workflow_id):
        got = f"bound as {spec.spec_version} in array {spec.array_id} of workflow {spec.workflow_id}"
        must = f"as the task: {version} in array {task.array_id} of workflow {task.workflow_id}"
        yield Finding("binding", f"the SPEC of task {found.task_id}", got, must)
    for number, instance in found.instances.items():
        if instance.spec_version > version:
            about = f"task instance {found.id_of(number)}"
            yield Finding("binding", about, f"of binding {instance.spec_version}", f"at most {version}, the task's")


def _pairs(found: Partition) -> Iterator[Finding]:
    """Each instance and the task stand as the state machine lets them."""
    task = found.task
    if task is None:
        return
    try:
        stands = TaskStatus(task.status)
    except ValueError:
        yield Finding("status", f"task {found.task_id}", repr(task.status), "one of a task's statuses")
        return
    sets = reachable(rebound=task.spec_version > 1 or not task.bound_as)
    left, last = task.num_attempts < task.max_attempts, task.num_instances
    if last == 0:
        yield from _pair(found, Pair(None, stands, left), sets.only, 0)
    for number, instance in sorted(found.instances.items()):
        try:
            status = TaskInstanceStatus(instance.status)
        except ValueError:
            about = f"task instance {found.id_of(number)}"
            yield Finding("status", about, repr(instance.status), "one of an instance's statuses")
            continue
        newest = sets.only if last == 1 else sets.newest
        yield from _pair(found, Pair(status, stands, left), newest if number == last else sets.older, number)


def _pair(found: Partition, pair: Pair, allowed: frozenset[Pair], number: int) -> Iterator[Finding]:
    if pair in allowed:
        return
    beside = sorted(
        each.task.name
        for each in allowed
        if (each.task_instance, each.attempts_left) == (pair.task_instance, pair.attempts_left)
    )
    instance = f"task instance {found.id_of(number)}" if number else "no task instance"
    status = f" {pair.task_instance.name}" if pair.task_instance else ""
    left = "attempts left" if pair.attempts_left else "no attempts left"
    must = f"the task {' or '.join(beside)}" if beside else "the instance in another status"
    yield Finding("pair", f"task {found.task_id}, {instance}{status}", f"the task {pair.task.name} with {left}", must)


def _keys(found: Partition, number: int, instance: TaskInstance) -> Iterator[Finding]:
    """What the indexes list it under follows from what else it says."""
    about = f"task instance {found.id_of(number)}"
    if split_task_instance_id(found.id_of(number)) is None:
        yield Finding("id-out-of-range", about, "numbered so", f"from 1 to {MAX_ID}, its number at least 1")
    listed_under = array_step_key(instance.array_id, instance.array_batch_num, instance.array_step_id)
    if instance.array_step != listed_under:
        yield Finding("step-key", about, f"listed under {instance.array_step}", listed_under)
    flag = attention_flag(instance.status) if instance.status in NEEDS_ATTENTION else None
    if instance.attention != flag:
        yield Finding("attention-flag", f"{about} in {instance.status}", f"{instance.attention}", f"{flag}")


def _errors(found: Partition) -> Iterator[Finding]:
    """The same words about the same instance are one entry, under the words' digest."""
    for number, entries in found.errors.items():
        about = f"task instance {found.id_of(number)}"
        whole = [entry for entry in entries if not text.was_cut(entry.description, MAX_ERROR_BYTES)]
        for entry in whole:
            under = ErrorEntry.sort_key(number, text.digest(entry.description))
            if entry.sk != under:
                yield Finding("error-digest", about, f"an entry under {entry.sk}", under)
        times = Counter(text.digest(entry.description) for entry in whole)
        for digest, count in times.items():
            if count > 1:
                yield Finding("duplicate-error", about, f"{count} entries of the words {digest}", "one")


def some(numbers: Iterable[int]) -> str:
    """The first of many.

    >>> some(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    named = list(numbers)
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(map(str, named[:MOST_NAMED])) + more
