"""The run index: a workflow run's unended batches, and its instances in a status that needs attention.

A batch stays in the index until all its instances have ended. Its sort key is the time of its next check; none of its
instances is overdue before that. Each check stores the statuses that it saw, so that later checks read only the
instances that may have changed. A run that sweeps what earlier runs left has an entry of its own.

An entry moves when its sort key changes. AWS does not document that a query sees a moving entry exactly once: one that
is seen twice counts once here, and one that is missed is found by the next poll, sweep or termination.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition, Or
from pynamodb.expressions.update import Action

from lockstep.array.item import (
    EARLIER_RUNS,
    LAUNCHED_PREFIX,
    NO_STEP,
    WAITING_PREFIX,
    Batch,
    BatchAttention,
    batch_of,
    due_key,
    last_key,
)
from lockstep.array.read import members
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.dynamodb.client import (
    ConditionFailedError,
    chunks,
    fetch,
    fetch_present,
    once,
    query,
    reach,
    rotated,
    run_parallel,
    update,
)
from lockstep.dynamodb.item import Key, RawItem, RunIndex
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended, may_become
from lockstep.task_instance.item import (
    FLAG_PREFIX,
    STEPS_PER_PARTITION,
    InstanceKey,
    TaskInstance,
    attention_flag,
    instance_key_of,
)

WAITING: Final = frozenset({TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED})
"""The statuses in which an instance waits for the distributor."""
_SOON_SECONDS: Final = 0.96 * HEARTBEAT_BUFFER_SECONDS
"""An instance whose next report is due within this time brings its batch's check forward. It is shorter than the buffer
because a request takes time.
"""
STEPS_PER_PART: Final = 1_000
"""The steps of a batch that are worked on as a whole. A batch that Lockstep fills has no more; a seeded one may."""
STEPS_PER_GROUP: Final = 2_000
"""The steps that a bulk call works on, about, before it looks at the time."""
MOST_INDEXED: Final = 10_000
"""The entries of a range of the index that a sweep reads, and the flagged instances of a run that are listed: 1 MB. The
entries that are dealt with leave the range, so the next call reads the others.
"""
_BATCHES_PER_READ: Final = 100
MOST_BATCHES_NOTED: Final = 100
"""The batches in which a poll notes what became of the instances that it was asked about."""


class Attention(NamedTuple):
    """The batches and instances of a run that must be checked."""

    batches: Iterator[Batch]
    """Due batches, earliest first, read as they are needed."""
    instances: list[InstanceKey]
    """The instances in a status that needs attention."""
    earlier_runs: bool
    """Whether the run looks after what earlier runs of its workflow left."""


def what_needs_attention(workflow_run_id: int, moment: float) -> Attention:
    """Query the index for the batches that are due at a moment and the instances that need attention.

    Of each kind it returns at most MOST_INDEXED.
    """
    launched, waiting = (due_key(prefix, moment) for prefix in (LAUNCHED_PREFIX, WAITING_PREFIX))

    def read(between: tuple[str, str]) -> list[RawItem]:
        return list(islice(_indexed(workflow_run_id, *between), MOST_INDEXED))

    first, due = run_parallel(read, [(FLAG_PREFIX, launched), (WAITING_PREFIX, waiting)])
    instances = [raw for raw in first if raw["attention"]["S"].startswith(FLAG_PREFIX)]
    only_instances = len(instances) == MOST_INDEXED
    others = [raw for raw in first[len(instances) :] if not _is_a_run(raw)]
    due_first = read((LAUNCHED_PREFIX, launched)) if only_instances else others
    batches = _full_grown(_read_batches(due_first + due))
    return Attention(batches, list(_instance_keys(instances)), len(others) < len(first) - len(instances))


def is_left(workflow_run_id: int) -> bool:
    """Whether a run has left instances that have not ended, by the index."""
    any_of_all = FLAG_PREFIX, last_key(WAITING_PREFIX)
    own_and_another = 2
    return not all(map(_is_a_run, _indexed(workflow_run_id, *any_of_all, at_once=own_and_another)))


def _is_a_run(raw: RawItem) -> bool:
    entry: str = raw["attention"]["S"]
    return entry.startswith(EARLIER_RUNS)


def flagged(workflow_run_id: int, status: TaskInstanceStatus) -> list[InstanceKey]:
    """Query the index for the run's instances in a status that needs attention; MOST_INDEXED at most."""
    return list(islice(flags(workflow_run_id, status), MOST_INDEXED))


def flags(workflow_run_id: int, status: TaskInstanceStatus) -> Iterator[InstanceKey]:
    """Yield the run's instances in a status that needs attention, all of them, a page of the index at a time."""
    flag = attention_flag(status)
    return _instance_keys(_indexed(workflow_run_id, flag, flag))


def waiting_batches(workflow_run_id: int) -> Iterator[Batch]:
    """Read the run's batches with instances that may wait for the distributor, except batches that still grow."""
    return _full_grown(_read_batches(_indexed(workflow_run_id, WAITING_PREFIX, last_key(WAITING_PREFIX))))


def unended_batches(workflow_run_id: int) -> Iterator[Batch]:
    """Read the run's batches with instances that have not ended, including batches that still grow."""
    return _read_batches(_indexed(workflow_run_id, LAUNCHED_PREFIX, last_key(WAITING_PREFIX)))


def _indexed(workflow_run_id: int, first: str, last: str, *, at_once: int | None = None) -> Iterator[RawItem]:
    """Yield the entries of a range, a page at a time: a caller whose time is up has worked on the first ones.

    at_once: the entries of a page at most; by default, as many as take 1 MB.
    """
    between = RunIndex.attention.between(first, last)
    yield from query(str(workflow_run_id), between, index=RunIndex.Meta.index_name, at_once=at_once)


def _instance_keys(listed: Iterable[RawItem]) -> Iterator[InstanceKey]:
    return once(instance_key_of(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed)


def read_again(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Read batches again, for what calls have noted in them meanwhile. Skip those that have ended or expired."""
    return _read(Key(batch.pk, batch.sk) for batch in batches)


def _read_batches(listed: Iterable[RawItem]) -> Iterator[Batch]:
    """Read the listed batches in order, each once. Skip batches that have ended meanwhile or expired."""
    return _read(once(Key(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed))


def _read(keys: Iterable[Key]) -> Iterator[Batch]:
    for wanted in chunks(keys, _BATCHES_PER_READ):
        items = fetch_present(wanted)
        batches = (Batch.from_raw_data(items[key]) for key in wanted if key in items)
        yield from (batch for batch in batches if batch.attention and not batch.has_expired(now()))


def _full_grown(batches: Iterable[Batch]) -> Iterator[Batch]:
    at = now()
    return (batch for batch in batches if (batch.grows_until or at) <= at)


class Part(NamedTuple):
    """Steps of a batch that are worked on as a whole: all of those concerned, unless the batch is larger than a part.

    A distributor counts a batch's steps, so it must be told of the whole batch at once.
    """

    batch: Batch
    steps: list[int]
    last: bool
    """Whether it is the last of its batch."""

    @property
    def key(self) -> Key:
        """The key of its batch."""
        return Key(self.batch.pk, self.batch.sk)

    def instances(self) -> dict[int, InstanceKey] | None:
        """Return its instances by step; None if the index does not show all of them yet."""
        found = members(self.batch, self.steps)
        shown = {step: found[step] for step in self.steps if step in found}
        return shown if all(step in shown or self.batch.seen[step] == NO_STEP for step in self.steps) else None


def in_parts(
    batches: Iterable[Batch],
    statuses: Iterable[TaskInstanceStatus],
    *,
    first: Collection[str] = (),
    of_any_run: bool = False,
) -> Iterator[Part]:
    """Yield the steps of batches whose instances may be in one of the statuses, judged by their last seen status.

    A batch of several parts begins with any of them, so that calls which do only a part of it do each part some time.
    first: the statuses whose parts come before the others of a batch.
    of_any_run adds the steps that are another run's, of which the batch knows no status.
    """
    wanted = frozenset(statuses)
    for batch in batches:
        letters = {letter for letter in set(batch.seen) - {NO_STEP} if _may_be_in(letter, wanted)}
        letters |= {NO_STEP} if of_any_run else set()
        concerned = [step for step, letter in enumerate(batch.seen) if letter in letters]
        parts = rotated(chunks(concerned, STEPS_PER_PART)) or [[]]
        parts.sort(key=lambda steps: all(batch.seen[step] not in first for step in steps))  # called at once
        for number, steps in enumerate(parts, 1):
            yield Part(batch, steps, last=number == len(parts))


def with_instances(
    batches: Iterable[Batch], statuses: Collection[TaskInstanceStatus]
) -> Iterator[list[tuple[Part, dict[int, InstanceKey]]]]:
    """Yield the parts of batches that may be in the statuses, with their instances, a group at a time."""
    for group in in_groups(in_parts(batches, statuses)):
        shown = run_parallel(Part.instances, group)
        yield [(part, steps) for part, steps in zip(group, shown, strict=True) if steps is not None]


def in_groups(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield parts in groups that are worked on between two looks at the time."""
    group: list[Part] = []
    taken = 0
    for part in parts:
        group.append(part)
        taken += max(len(part.steps), STEPS_PER_PARTITION)
        if taken >= STEPS_PER_GROUP:
            yield group
            group, taken = [], 0
    if group:
        yield group


def _may_be_in(letter: str, wanted: frozenset[TaskInstanceStatus]) -> bool:
    return any(may_become(TaskInstanceStatus(letter), status) for status in wanted)


class Seen(NamedTuple):
    """The statuses that a call saw in a part."""

    part: Part
    statuses: Mapping[int, TaskInstanceStatus]
    """Statuses by step, of the steps that were seen."""


def remember(looked: Iterable[Seen], due: Mapping[Key, float] | None = None) -> None:
    """Store the statuses that were seen, so that the next call begins at the rest.

    due: when batches are due for their next check, by key. All others keep their time.
    """
    by_batch: dict[Key, tuple[Batch, dict[int, TaskInstanceStatus]]] = {}
    for part, statuses in looked:
        by_batch.setdefault(part.key, (part.batch, {}))[1].update(statuses)
    times = due or {}
    run_parallel(lambda key: _remember_batch(*by_batch[key], times.get(key)), by_batch)


def remember_changes(instances: Collection[TaskInstance], known: TaskInstanceStatus) -> None:
    """Store the seen statuses of instances in their batches, if an instance of the batch left the known status.

    This updates at most MOST_BATCHES_NOTED batches. Later polls and sweeps skip the instances that ended, and people
    see a workflow's progress.
    """
    changed = dict.fromkeys(_batch_of(instance) for instance in instances if instance.status != known)
    seen: dict[tuple[int, int], dict[int, TaskInstanceStatus]] = {
        batch: {} for batch in islice(changed, MOST_BATCHES_NOTED)
    }
    for instance in instances if seen else ():
        if (statuses := seen.get(_batch_of(instance))) is not None:
            statuses[instance.array_step_id] = TaskInstanceStatus(instance.status)
    found = fetch((Batch.key(*batch) for batch in seen), consistent=True)
    run_parallel(lambda key: _remember_batch(Batch.from_raw_data(found[key]), seen[batch_of(key.pk)], None), found)


def _batch_of(instance: TaskInstance) -> tuple[int, int]:
    return instance.array_id, instance.array_batch_num


def _remember_batch(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float | None) -> None:
    if batch.attention:
        note(batch, seen, BatchAttention.parse(batch.attention).due if due is None else due)


def note(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float) -> None:
    """Store the statuses in which steps were seen, and when the batch is due for its next check.

    Store nothing if that is stored already, or if another caller has written to the batch since it was read.
    """
    letters = [letter if letter == NO_STEP else seen.get(step, letter) for step, letter in enumerate(batch.seen)]
    present = {TaskInstanceStatus(letter) for letter in set(letters) if letter != NO_STEP}
    attention = BatchAttention(0.0 if batch.is_part else due, waiting=not present.isdisjoint(WAITING))
    ended = all(map(has_ended, present))
    if ("".join(letters), None if ended else str(attention)) == (batch.seen, batch.attention):
        return
    changes: list[Action] = [
        Batch.seen.set("".join(letters)),
        Batch.noted_at.set(now()),
        Batch.attention.remove() if ended else Batch.attention.set(str(attention)),
        *Batch.renewed(now()),
    ]
    unchanged = (Batch.attention == batch.attention) & (Batch.size == batch.size)
    try:
        reach(lambda: batch.update(changes, unchanged))
    except ConditionFailedError:
        return


def expect(instance: TaskInstance, report_by: float | None) -> None:
    """Bring the batch's next check forward to report_by, if checks would otherwise come later than that.

    Usually they would not, and nothing is sent. If the batch's check is overdue, its time is changed too: a sweep may
    be checking the batch with an older state of the instance. Its note then fails and does not put the check off.
    """
    at = now()
    if report_by is None or report_by >= at + _SOON_SECONDS:
        return
    key = Batch.key(instance.array_id, instance.array_batch_num)
    later, overdue = (report_by, _due_between(report_by, None)), (at, _due_between(0.0, at))
    stored = _move_check(key, *later)
    while stored and not at < stored.due < report_by:
        stored = _move_check(key, *(overdue if stored.due <= at else later))


def _due_between(since: float, until: float | None) -> Condition:
    launched, waiting = (
        Batch.attention.between(due_key(prefix, since), last_key(prefix) if until is None else due_key(prefix, until))
        for prefix in (LAUNCHED_PREFIX, WAITING_PREFIX)
    )
    return Or(launched, waiting)


def _move_check(key: Key, due: float, where: Condition) -> BatchAttention | None:
    """Set a batch's next check if a condition holds. Otherwise return the stored one; None if the batch has none."""
    changes: list[Action] = [Batch.attention.set(str(BatchAttention(due, waiting=True))), *Batch.renewed(now())]
    try:
        update(key, changes, where)
    except ConditionFailedError as failed:
        [found] = failed.found
        return BatchAttention.parse(found["attention"]["S"]) if found and "attention" in found else None
    return None
