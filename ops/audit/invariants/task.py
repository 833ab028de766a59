"""A task, its specification, its instances, their logs and errors: one partition, which must agree."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lockstep import text
from lockstep.dynamodb.item import MAX_ID, Expiring, RawItem
from lockstep.fsm.statuses import NEEDS_ATTENTION, TOLD_TO_CLIENT, TaskInstanceStatus, TaskStatus
from lockstep.task.bound_item import Spec
from lockstep.task.item import MOST_FEEDS, NO_FEED, TASKS_PER_FEED, Task, change_of, feed_keys
from lockstep.task_instance.item import (
    MAX_ERROR_BYTES,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
    array_step_key,
    attention_flag,
    split_task_instance_id,
)
from ops.audit.invariants.finding import Finding, first_of
from ops.audit.invariants.pairs import Pair, reachable
from ops.audit.invariants.parsing import INSTANCE_STATUSES, TASK_STATUSES, Parsed, parse


@dataclass(slots=True)
class TaskItems:
    """The items of a task's partition."""

    task_id: int
    task: Task | None = None
    spec: Spec | None = None
    instances: dict[int, TaskInstance] = field(default_factory=dict)
    logs: dict[int, Log] = field(default_factory=dict)
    errors: dict[int, list[ErrorEntry]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[int, dict[str, ErrorText]] = field(default_factory=lambda: defaultdict(dict))
    """The long texts of error entries by digest."""
    unreadable: list[Finding] = field(default_factory=list)

    @classmethod
    def parse(cls, pk: str, raws: Iterable[RawItem]) -> "TaskItems":
        """Read all items of a partition."""
        return cls.of(pk, map(parse, raws))

    @classmethod
    def of(cls, pk: str, parsed: Iterable[Parsed | Finding]) -> "TaskItems":
        """Group the items of a partition."""
        digits = pk.removeprefix("TASK#")
        items = cls(int(digits) if digits.isdecimal() else 0)
        for each in parsed:
            if isinstance(each, Finding):
                items.unreadable.append(each)
                continue
            match each.item:
                case Task() as task:
                    items.task = task
                case Spec() as spec:
                    items.spec = spec
                case TaskInstance() as instance:
                    items.instances[each.ids[1]] = instance
                case Log() as log:
                    items.logs[each.ids[1]] = log
                case ErrorEntry() as entry:
                    items.errors[each.ids[1]].append(entry)
                case ErrorText() as long_text:
                    items.texts[each.ids[1]][_digest_in(long_text.sk)] = long_text
        return items

    def said(self, number: int) -> Iterator[tuple[ErrorEntry, str | None]]:
        """The error entries of the task's number-th instance, each with its text; None if the text is missing."""
        for entry in self.errors.get(number, []):
            long_text = self.texts.get(number, {}).get(_digest_in(entry.sk))
            inline: str | None = entry.description
            yield entry, long_text.description if inline is None and long_text else inline

    @property
    def complete(self) -> bool:
        """Whether no item can be missing for a good reason: DynamoDB deletes expired items in no order."""
        errors: list[Expiring] = [entry for entries in self.errors.values() for entry in entries]
        errors += [long_text for texts in self.texts.values() for long_text in texts.values()]
        items: list[Expiring | None] = [self.task, self.spec, *self.instances.values(), *self.logs.values(), *errors]
        return not self.unreadable and all(item is None or item.expires_at is None for item in items)

    def id_of(self, number: int) -> int:
        """The id of the task's number-th instance."""
        return InstanceKey(self.task_id, number).id

    def name_of(self, number: int) -> str:
        """The name of the task's number-th instance in findings."""
        return f"task instance {self.id_of(number)}"


def _digest_in(sort_key: str) -> str:
    return sort_key.rpartition("#")[2]


def check(items: TaskItems) -> list[Finding]:
    """The broken invariants of a task's partition."""
    findings = [*items.unreadable, *_orphans(items)]
    if items.task:
        findings += [*_numbers(items, items.task), *_attempts(items, items.task), *_binding(items, items.task)]
        findings += [
            *_pairs(items, items.task),
            *_feed(items, items.task),
            *_told(items, items.task),
            *_listed(items, items.task),
        ]
    for number, instance in items.instances.items():
        findings += _index_keys(items, number, instance)
    return [*findings, *_errors(items)]


def _orphans(items: TaskItems) -> Iterator[Finding]:
    """No item is there without the one that it belongs to."""
    if not items.complete:
        return
    if items.task is None:
        yield Finding("orphan", f"task {items.task_id}", "without its TASK item", "whole")
    elif items.spec is None and not items.task.specified:
        yield Finding("orphan", f"task {items.task_id}", "without a specification", "with one")
    for number in sorted((items.logs.keys() | items.errors.keys() | items.texts.keys()) - items.instances.keys()):
        yield Finding("orphan", items.name_of(number), "only logs or error entries", "an instance too")
    for number in sorted(items.errors.keys() | items.texts.keys()):
        listed = {_digest_in(entry.sk) for entry in items.errors.get(number, []) if entry.description is None}
        for digest in sorted(listed ^ items.texts.get(number, {}).keys()):
            is_as, must = ("an entry", "a text too") if digest in listed else ("a text", "an entry without one too")
            yield Finding("orphan", f"error {digest} of {items.name_of(number)}", f"only {is_as}", must)


def _numbers(items: TaskItems, task: Task) -> Iterator[Finding]:
    """Every instance that was queued is there. Of a seeded task, earlier ones may never have been."""
    last, about = task.num_instances, f"task {items.task_id}"
    if beyond := sorted(number for number in items.instances if not 1 <= number <= last):
        yield Finding("instance-numbers", about, f"with instances {first_of(beyond)}", f"none outside 1 to {last}")
    queued = range(1 if task.bound_as else max(1, last), last + 1)
    missing = [number for number in queued if number not in items.instances]
    if missing and items.complete:
        yield Finding("instance-numbers", about, f"without instances {first_of(missing)}", f"all of 1 to {last}")


def _attempts(items: TaskItems, task: Task) -> Iterator[Finding]:
    """A task that was not seeded counts its attempts. One is allowed even where max_attempts is 0."""
    most = min(task.num_instances, max(1, task.max_attempts))
    if task.bound_as and not 0 <= task.num_attempts <= most:
        limits = f"at most its {task.num_instances} instances and its {task.max_attempts} attempts"
        yield Finding("attempts", f"task {items.task_id}", f"at attempt {task.num_attempts}", limits)


def _binding(items: TaskItems, task: Task) -> Iterator[Finding]:
    """A task has one specification, of the binding in force, and no instance is of a later one."""
    spec, bound = items.spec, (task.spec_version, task.array_id, task.workflow_id)
    if spec and task.specified and spec.spec_version >= task.spec_version:
        yield Finding("binding", f"task {items.task_id}", "with two specifications", "one, in its own item or apart")
    elif spec and not task.specified and (got := (spec.spec_version, spec.array_id, spec.workflow_id)) != bound:
        binding = "binding {} in array {} of workflow {}"
        about = f"the SPEC of task {items.task_id}"
        yield Finding("binding", about, f"of {binding.format(*got)}", f"of the task's {binding.format(*bound)}")
    for number, instance in items.instances.items():
        if instance.spec_version > task.spec_version:
            must = f"at most {task.spec_version}, the task's"
            yield Finding("binding", items.name_of(number), f"of binding {instance.spec_version}", must)


def _feed(items: TaskItems, task: Task) -> Iterator[Finding]:
    """A task that its workflow's client is told of is in a part of that workflow's change feed."""
    if task.feed is not None and task.feed not in feed_keys(task.workflow_id, MOST_FEEDS * TASKS_PER_FEED):
        must = f"in a part of workflow {task.workflow_id}'s"
        yield Finding("feed", f"task {items.task_id}", f"in the change feed {task.feed}", must)


def _told(items: TaskItems, task: Task) -> Iterator[Finding]:
    """The change feed tells of a task that has ended or needs other resources, and of none that is under way."""
    if task.feed is None or task.status not in TASK_STATUSES:
        return
    status, told = TaskStatus(task.status), change_of(task.changed)[1] if task.changed else None
    must = {status} if status in _ALWAYS_TOLD else {None, status} & {None, TaskStatus.REGISTERING}
    if told not in must:
        names = " or ".join(each.name if each else "nothing" for each in must)
        yield Finding("feed", f"task {items.task_id}", f"told as {told.name if told else 'nothing'}", names)


def _listed(items: TaskItems, task: Task) -> Iterator[Finding]:
    """A task is in the list of what failed while it has failed for good, and only then."""
    if task.status not in TASK_STATUSES:
        return
    must = (task.feed or NO_FEED) if task.status == TaskStatus.ERROR_FATAL else None
    has = task.listed_in if task.listed_as else None
    if has != must:
        yield Finding("list", f"task {items.task_id}", f"listed in {has}", f"in {must}: it is {task.status}")


_ALWAYS_TOLD = TOLD_TO_CLIENT - {TaskStatus.REGISTERING}
"""A task that was just bound, or starts over, is told of to nobody."""


def _pairs(items: TaskItems, task: Task) -> Iterator[Finding]:
    """The state machine can reach the statuses of each instance and the task."""
    if task.status not in TASK_STATUSES:
        yield Finding("status", f"task {items.task_id}", repr(task.status), "one of a task's statuses")
        return
    sets = reachable(rebound=task.spec_version > 1 or not task.bound_as)
    status, left, last = TaskStatus(task.status), task.num_attempts < task.max_attempts, task.num_instances
    if last == 0:
        yield from _pair(items, 0, Pair(None, status, left), sets.only)
    for number, instance in sorted(items.instances.items()):
        if instance.status not in INSTANCE_STATUSES:
            yield Finding("status", items.name_of(number), repr(instance.status), "one of an instance's statuses")
            continue
        latest = sets.only if last == 1 else sets.latest
        pair = Pair(TaskInstanceStatus(instance.status), status, left)
        yield from _pair(items, number, pair, latest if number == last else sets.earlier)


def _pair(items: TaskItems, number: int, pair: Pair, allowed: frozenset[Pair]) -> Iterator[Finding]:
    if pair in allowed:
        return
    tasks = sorted(each.task.name for each in allowed if each == pair._replace(task=each.task))
    instance = f"{items.name_of(number)} {pair.task_instance.name}" if pair.task_instance else "no task instance"
    left = "attempts left" if pair.attempts_left else "no attempts left"
    must = f"the task {' or '.join(tasks)}" if tasks else "the instance in another status"
    yield Finding("pair", f"task {items.task_id}, {instance}", f"the task {pair.task.name} with {left}", must)


def _index_keys(items: TaskItems, number: int, instance: TaskInstance) -> Iterator[Finding]:
    """The id is one that an instance can have, and the keys of the indexes follow from the other attributes."""
    about = items.name_of(number)
    if split_task_instance_id(items.id_of(number)) is None:
        yield Finding("id-out-of-range", about, "numbered so", f"from 1 to {MAX_ID}, its number at least 1")
    step = array_step_key(instance.array_id, instance.array_batch_num, instance.array_step_id)
    if instance.array_step != step:
        yield Finding("step-key", about, f"listed under {instance.array_step}", step)
    flag = attention_flag(instance.status) if instance.status in NEEDS_ATTENTION else None
    if instance.attention != flag:
        yield Finding("attention-flag", f"{about} in {instance.status}", f"{instance.attention}", f"{flag}")


def _errors(items: TaskItems) -> Iterator[Finding]:
    """The same text about the same instance is one entry, under the text's digest. A text that was cut has another."""
    for number in items.errors:
        digests = Counter[str]()
        for entry, said in items.said(number):
            if said is None or text.was_cut(said, MAX_ERROR_BYTES):
                continue
            digest = text.digest(said)
            digests[digest] += 1
            if entry.sk != (sort_key := ErrorEntry.sort_key(number, digest)):
                yield Finding("error-digest", items.name_of(number), f"an entry under {entry.sk}", sort_key)
        for digest, count in digests.items():
            if count > 1:
                yield Finding("duplicate-error", items.name_of(number), f"{count} entries of the text {digest}", "one")
