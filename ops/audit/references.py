"""What leads from one item to another: arrays, lookups by natural key, and counters."""

from collections.abc import Iterator
from typing import Final, TypeVar

from lockstep.array.item import Array, ArrayLookup
from lockstep.dynamodb.client import chunks
from lockstep.dynamodb.counters import COUNTED, Counter
from lockstep.dynamodb.item import Item, RawItem
from lockstep.task.item import Task
from ops.audit.finding import Finding
from ops.audit.ledger import Ledger
from ops.audit.parsing import Parsed, parse
from ops.audit.reading import Reader

M = TypeVar("M", bound=Item)

AT_ONCE: Final = 100


def check(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    """All of them. What is held against the ledger is read now, consistently: none of it is ever taken back."""
    yield from _arrays(ledger, reader)
    yield from _tasks_looked_up(ledger, reader)
    yield from _counters(ledger, reader)


def _arrays(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    for array_ids in chunks(sorted(ledger.arrays), AT_ONCE):
        keyed = {array_id: Array.key(array_id) for array_id in array_ids}
        found = reader.items(keyed.values())
        arrays = {array_id: _read(found.get(key), Array) for array_id, key in keyed.items()}
        for array_id, array in arrays.items():
            yield from _array(array_id, array, ledger.arrays[array_id].last_batch)
        there = {array_id: array for array_id, array in arrays.items() if array}
        yield from _array_lookups(there, reader)


def _array(array_id: int, array: Array | None, last_batch: int) -> Iterator[Finding]:
    if array is None:
        yield Finding("array-missing", f"array {array_id}", "not there", "there: tasks or batches are of it")
    elif array.num_batches < last_batch:
        got = f"said to have had {array.num_batches} batches"
        yield Finding("array-batches", f"array {array_id}", got, f"at least {last_batch}: there is such a batch")


def _array_lookups(arrays: dict[int, Array], reader: Reader) -> Iterator[Finding]:
    """An array is found by its workflow and template version."""
    lookups = {
        array_id: ArrayLookup.key(array.workflow_id, array.task_template_version_id)
        for array_id, array in arrays.items()
    }
    found = reader.items(lookups.values())
    for array_id, key in lookups.items():
        lookup = _read(found.get(key), ArrayLookup)
        if lookup is None or lookup.id != array_id:
            got = f"array {lookup.id}" if lookup else "not there"
            yield Finding("lookup", key.pk, got, f"array {array_id}, which has this natural key")


def _read(raw: RawItem | None, model: type[M]) -> M | None:
    """None: it is not there, or not readable, which is a finding already."""
    parsed = parse(raw) if raw else None
    return parsed.item if isinstance(parsed, Parsed) and isinstance(parsed.item, model) else None


def array_of_lookup(lookup: ArrayLookup, reader: Reader) -> Iterator[Finding]:
    """An array's lookup leads to an array with the natural key that it has."""
    key = Array.key(lookup.id)
    array = _read(reader.items([key]).get(key), Array)
    if array is None:
        yield Finding("lookup", lookup.pk, f"array {lookup.id}, which is not there", "an array that is")
    elif (natural := ArrayLookup.key(array.workflow_id, array.task_template_version_id).pk) != lookup.pk:
        yield Finding("lookup", lookup.pk, f"array {lookup.id}, which is {natural}", "an array of this natural key")


def _tasks_looked_up(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    """A lookup leads to a task of its workflow. One that may expire may outlive its task."""
    differing = ((task_id, workflow) for task_id, workflow in ledger.looked_up if ledger.tasks[task_id] != workflow)
    for chunk in chunks(differing, AT_ONCE):
        keyed = {task_id: Task.key(task_id) for task_id, _ in chunk}
        found = reader.items(keyed.values())
        for task_id, workflow in chunk:
            task = _read(found.get(keyed[task_id]), Task)
            if task is None or task.workflow_id != workflow:
                got = f"task {task_id} of workflow {task.workflow_id}" if task else "not there"
                yield Finding("lookup", f"TASKOF#{workflow}#… for task {task_id}", got, "a task of its workflow")


def _counters(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    """No id has been seen that is yet to be given out."""
    keyed = {kind: Counter.key(kind) for kind in COUNTED}
    found = reader.items(keyed.values())
    for kind, key in keyed.items():
        counter, last = _read(found.get(key), Counter), ledger.last_ids[kind]
        at = counter.last if counter else 0
        if at < last:
            yield Finding("counter", key.pk, f"at {at}", f"at least {last}: there is such an id")
