"""The run index: a workflow run's unended batches, and its instances in a status that needs attention.

A batch stays in the index until all its instances have ended. Its sort key is the time of its next check; none of its
instances is overdue before that. A run that sweeps what earlier runs left has an entry of its own.

An entry moves when its sort key changes. AWS does not document that a query sees a moving entry exactly once: one that
is seen twice counts once here, and one that is missed is found by the next poll, sweep or termination.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from lockstep.array.item import EARLIER_RUNS, LAUNCHED_PREFIX, WAITING_PREFIX, Batch, due_key, last_key
from lockstep.clock import now
from lockstep.dynamodb.item import Key, RawItem, RunIndex
from lockstep.dynamodb.parallel import chunks, once, run_parallel
from lockstep.dynamodb.reads import fetch_present, query
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task_instance.item import FLAG_PREFIX, InstanceKey, attention_flag, instance_key_of

MOST_INDEXED: Final = 10_000
"""The entries of a range of the index that a sweep reads, and the flagged instances of a run that are listed: 1 MB. The
entries that are dealt with leave the range, so the next call reads the others.
"""
_BATCHES_PER_READ: Final = 100


class Due(NamedTuple):
    """The batches and instances of a run that must be checked."""

    batches: Iterator[Batch]
    """Due batches, earliest first, read as they are needed."""
    instances: list[InstanceKey]
    """The instances in a status that needs attention."""
    earlier_runs: bool
    """Whether the run looks after what earlier runs of its workflow left."""


def read_due(workflow_run_id: int, moment: float) -> Due:
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
    batches = _full_grown(read_batches(_batch_keys(due_first + due)))
    return Due(batches, list(_instance_keys(instances)), len(others) < len(first) - len(instances))


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
    return _full_grown(read_batches(_batch_keys(_indexed(workflow_run_id, WAITING_PREFIX, last_key(WAITING_PREFIX)))))


def unended_batches(workflow_run_id: int) -> Iterator[Batch]:
    """Read the run's batches with instances that have not ended, including batches that still grow."""
    return read_batches(unended_keys(workflow_run_id))


def unended_keys(workflow_run_id: int) -> Iterator[Key]:
    """Query the index for the keys of these batches."""
    return _batch_keys(_indexed(workflow_run_id, LAUNCHED_PREFIX, last_key(WAITING_PREFIX)))


def _indexed(workflow_run_id: int, first: str, last: str, *, at_once: int | None = None) -> Iterator[RawItem]:
    """Yield the entries of a range, a page at a time: a caller whose time is up has worked on the first ones.

    at_once: the entries of a page at most; by default, as many as take 1 MB.
    """
    between = RunIndex.attention.between(first, last)
    yield from query(str(workflow_run_id), between, index=RunIndex.Meta.index_name, at_once=at_once)


def _instance_keys(listed: Iterable[RawItem]) -> Iterator[InstanceKey]:
    return once(instance_key_of(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed)


def _batch_keys(listed: Iterable[RawItem]) -> Iterator[Key]:
    return once(Key(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed)


def read_batches(keys: Iterable[Key]) -> Iterator[Batch]:
    """Read batches in order. Skip those that have ended or expired."""
    for wanted in chunks(keys, _BATCHES_PER_READ):
        items = fetch_present(wanted)
        batches = (Batch.from_raw_data(items[key]) for key in wanted if key in items)
        yield from (batch for batch in batches if batch.attention and not batch.has_expired(now()))


def _full_grown(batches: Iterable[Batch]) -> Iterator[Batch]:
    at = now()
    return (batch for batch in batches if (batch.grows_until or at) <= at)
