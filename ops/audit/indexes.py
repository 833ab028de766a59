"""Check that the indexes list exactly the items that have their keys. An index lags, so a difference is read again."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lockstep.dynamodb.item import Key, RawItem
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.task.item import Task
from lockstep.task_instance.item import TaskInstance, array_step_key, instance_key_of, instance_keys
from ops.audit.ids import IdMap, fingerprint
from ops.audit.invariants.batch import BatchKey
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import key_of
from ops.audit.reader import FEED_INDEX, LISTED_INDEX, RUN_INDEX, STEP_INDEX, TRIES, Entry, Index, Reads
from ops.audit.seen import Seen

Suspect = tuple[Key, Entry | None]
"""An item, and an entry that is only in the index or only in the table; None: the entry that it has now."""


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The differences between the table and its indexes."""
    for index, suspects in (
        (STEP_INDEX, _steps(seen, reads)),
        (RUN_INDEX, _entries(RUN_INDEX, seen.in_run_index, IdMap(), reads)),
        (FEED_INDEX, _entries(FEED_INDEX, {}, seen.told, reads)),
        (LISTED_INDEX, _entries(LISTED_INDEX, seen.listed, seen.failed, reads)),
    ):
        for chunk in chunks(suspects, KEYS_PER_READ):
            yield from _differences(index, set(chunk), reads)


def _steps(seen: Seen, reads: Reads) -> Iterator[Suspect]:
    for raw in reads.index(STEP_INDEX):
        if not _is_as_scanned(raw, seen):
            yield key_of(raw), STEP_INDEX.entry(raw)
    for batch, steps in seen.steps.items():
        for step in steps.not_indexed():
            for instance in instance_keys([steps.id_at(step)]):
                yield TaskInstance.key(instance), (array_step_key(*batch, step), str(step))


def _is_as_scanned(raw: RawItem, seen: Seen) -> bool:
    """Whether the array-step index lists an instance where the scan saw it. Its step is marked then."""
    array_step, step = raw["array_step"]["S"], int(raw["array_step_id"]["N"])
    parts = array_step.split("#")[:2]
    batch = BatchKey(*map(int, parts)) if len(parts) > 1 and all(part.isdecimal() for part in parts) else None
    if batch not in seen.steps or step < 0 or array_step_key(*batch, step) != array_step:
        return False
    sk = raw["sk"]["S"]
    if not sk[3:].isdecimal() or seen.steps[batch].id_at(step) != instance_key_of(raw["pk"]["S"], sk).id:
        return False
    seen.steps[batch].mark_indexed(step)
    return True


def _entries(index: Index, whole: dict[Key, Entry], tasks: IdMap, reads: Reads) -> Iterator[Suspect]:
    """What differs. whole: the entries that the index must have; tasks: fingerprints of those of tasks."""
    not_listed = dict(whole)
    for raw in reads.index(index):
        key, entry = key_of(raw), index.entry(raw)
        if not_listed.pop(key, None) != entry and not _is_task_of(key, entry, tasks):
            yield key, entry
    yield from not_listed.items()
    yield from ((Task.key(task_id), None) for task_id, _ in tasks)


def _is_task_of(key: Key, entry: Entry, tasks: IdMap) -> bool:
    """Whether the index lists a task as the scan saw it. It is taken out of the map then."""
    digits = key.pk.removeprefix("TASK#")
    if key.sk != Task.SORT_KEY or not digits.isdecimal() or tasks[int(digits)] != fingerprint(*entry):
        return False
    tasks[int(digits)] = 0
    return True


class _Look(NamedTuple):
    """An item's entry by its attributes, and the entries under which the index lists it."""

    has: Entry | None
    listed: frozenset[Entry]

    @property
    def agrees(self) -> bool:
        return self.listed == ({self.has} if self.has else set())

    def finding(self, index: Index, key: Key) -> Finding:
        got = " and ".join(f"listed under {' '.join(entry)}" for entry in sorted(self.listed))
        must = f"listed under {' '.join(self.has)} alone" if self.has else "not listed: it has no such keys, or is gone"
        return Finding(f"{index.name}-index", in_words(key), got or "not listed", must)


def _differences(index: Index, suspects: set[Suspect], reads: Reads) -> Iterator[Finding]:
    """Report the items that stay the same during a pause while the index lists them otherwise.

    An item that keeps changing is well: the index follows it.
    """
    before: dict[Suspect, _Look] = {}
    for _ in range(TRIES):
        looks = {suspect: look for suspect, look in _look(index, suspects, reads) if not look.agrees}
        same = {suspect for suspect, look in looks.items() if look == before.get(suspect)}
        yield from dict.fromkeys(looks[suspect].finding(index, suspect[0]) for suspect in sorted(same, key=str))
        before, suspects = looks, looks.keys() - same
        if not suspects:
            return
        reads.pause()


def _look(index: Index, suspects: Iterable[Suspect], reads: Reads) -> Iterator[tuple[Suspect, _Look]]:
    items = reads.items(key for key, _ in suspects)
    for key, suspect in suspects:
        has = index.entry_of(items.get(key, {}))
        entries = {entry for entry in (suspect, has) if entry}
        listed = frozenset(entry for entry in entries if key in map(key_of, reads.listed(index, *entry)))
        yield (key, suspect), _Look(has, listed)
