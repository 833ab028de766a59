"""Check the items that others name: arrays, resources, counters. None is ever taken back."""

from collections.abc import Iterator
from typing import Final

from lockstep.array.item import Array
from lockstep.dynamodb.counters import BEFORE_FIRST, COUNTED, Counter
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.task.bound_item import Resources
from ops.audit.invariants.finding import Finding
from ops.audit.reader import Reads, read_models
from ops.audit.seen import Seen

_RESOURCES: Final = "task_resources"


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The broken invariants of arrays, of resources and of counters."""
    for array_ids in chunks(sorted(seen.last_batches), KEYS_PER_READ):
        arrays = read_models(Array, map(Array.key, array_ids), reads)
        for array_id in array_ids:
            yield from _array(array_id, arrays.get(Array.key(array_id)), seen.last_batches[array_id])
    counters = read_models(Counter, map(Counter.key, COUNTED), reads)
    given_out = counters.get(Counter.key(_RESOURCES))
    yield from _resources(seen, given_out.last if given_out else 0, reads)
    for kind in COUNTED:
        yield from _counter(Counter.key(kind), counters.get(Counter.key(kind)), seen.last_ids[kind])


def _array(array_id: int, array: Array | None, last_batch: int) -> Iterator[Finding]:
    """An array that tasks or batches name is there, and has given out its batches' numbers."""
    about = f"array {array_id}"
    if array is None:
        yield Finding("array-missing", about, "not there", "there: tasks or batches are of it")
    elif array.num_batches < last_batch:
        got = f"said to have had {array.num_batches} batches"
        yield Finding("array-batches", about, got, f"at least {last_batch}: there is such a batch")


def _resources(seen: Seen, last_id: int, reads: Reads) -> Iterator[Finding]:
    """Resources whose id was given out and that a task or an attempt names are there.

    No route refuses a made-up id. An id that a call allocated before it died is given out, and has nothing stored.
    """
    named = (number for number in seen.resources_named - seen.resources if BEFORE_FIRST[_RESOURCES] < number <= last_id)
    for chunk in chunks(sorted(named), KEYS_PER_READ):
        found = reads.items(map(Resources.key, chunk))
        for number in chunk:
            if Resources.key(number) not in found:
                must = "there: tasks or attempts name them, unless a caller named an id that it was never told"
                yield Finding("resources-missing", f"resources {number}", "not there", must)


def _counter(key: Key, counter: Counter | None, last_id: int) -> Iterator[Finding]:
    """A counter has given out every id that is stored."""
    at = counter.last if counter else BEFORE_FIRST[key.pk.removeprefix("COUNTER#")]
    if at < last_id:
        yield Finding("counter", key.pk, f"at {at}", f"at least {last_id}: there is such an id")
