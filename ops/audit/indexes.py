"""Whether both indexes list exactly the items that carry their keys. Indexes lag: what differs is looked at again."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from lockstep.dynamodb.client import chunks
from lockstep.dynamodb.item import ArrayStepIndex, Key, RawItem, RunIndex
from lockstep.task_instance.item import InstanceKey, TaskInstance, array_step_key, instance_key_of, instance_keys
from ops.audit.finding import Finding
from ops.audit.ledger import BatchKey, Ledger, Steps
from ops.audit.reading import TRIES, Reader

AT_ONCE: Final = 100
_STEP: Final = ArrayStepIndex.Meta.index_name
_RUN: Final = RunIndex.Meta.index_name


def check(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    """Both of them."""
    strangers = (raw for raw in reader.index(_STEP) if not _mark(raw, ledger))
    for chunk in chunks(strangers, AT_ONCE):
        yield from _listed_wrongly(chunk, reader)
    yield from _not_listed(ledger, reader)
    yield from _run_index(ledger, reader)


def _mark(raw: RawItem, ledger: Ledger) -> bool:
    """Whether it is listed as the scan saw it."""
    array_step, step = raw["array_step"]["S"], int(raw["array_step_id"]["N"])
    key = _batch_of(array_step)
    if key is None or key not in ledger.steps or array_step_key(*key, step) != array_step:
        return False
    steps = ledger.steps[key]
    if step < 0 or steps.id_at(step) != _instance_id(raw):
        return False
    steps.mark(step)
    return True


def _batch_of(array_step: str) -> BatchKey | None:
    parts = array_step.split("#")
    return BatchKey(int(parts[0]), int(parts[1])) if all(part.isdecimal() for part in parts[:2]) else None


def _instance_id(raw: RawItem) -> int:
    return instance_key_of(raw["pk"]["S"], raw["sk"]["S"]).id if raw["sk"]["S"][3:].isdecimal() else 0


def _listed_wrongly(listed: Iterable[RawItem], reader: Reader) -> Iterator[Finding]:
    """What is listed is an item with these keys, by now or after a moment."""
    wrong = _not_so(listed, reader)
    if not wrong:
        return
    reader.pause()
    for raw in _not_so(wrong, reader):
        if raw in [_keys_of(each) for each in reader.steps(raw["array_step"]["S"])]:
            about = f"{raw['pk']['S']} / {raw['sk']['S']}"
            got = f"listed at step {raw['array_step_id']['N']} of {raw['array_step']['S']}"
            yield Finding("array-step-index", about, got, "not listed: it has other keys, or is gone")


def _keys_of(raw: RawItem) -> RawItem:
    return {name: raw[name] for name in ("pk", "sk", "array_step", "array_step_id")}


def _not_so(listed: Iterable[RawItem], reader: Reader) -> list[RawItem]:
    by_key = {_key(raw): _keys_of(raw) for raw in listed}
    found = reader.items(by_key)
    return [raw for key, raw in by_key.items() if any(found.get(key, {}).get(name) != raw[name] for name in raw)]


def _key(raw: RawItem) -> Key:
    return Key(raw["pk"]["S"], raw["sk"]["S"])


def _not_listed(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    for key, steps in ledger.steps.items():
        unmarked = steps.unmarked()
        if unmarked and (missing := _missing(key, unmarked, steps, reader)):
            reader.pause()
            for step in _missing(key, missing, steps, reader):
                about = f"task instance {steps.id_at(step)}"
                must = f"listed at step {step} of {array_step_key(*key, step)}"
                yield Finding("array-step-index", about, "not listed", must)


def _missing(key: BatchKey, unmarked: list[int], steps: Steps, reader: Reader) -> list[int]:
    """Those that are still there, with the keys that they had, and not listed."""
    partitions = {array_step_key(*key, step) for step in unmarked}
    listed = {(int(raw["array_step_id"]["N"]), _instance_id(raw)) for each in partitions for raw in reader.steps(each)}
    missing = [step for step in unmarked if (step, steps.id_at(step)) not in listed]
    by_step = {
        step: TaskInstance.key(InstanceKey(task_id, number))
        for step in missing
        for task_id, number in instance_keys([steps.id_at(step)])
    }
    found = reader.items(by_step.values())
    under = {step: {"S": array_step_key(*key, step)} for step in missing}
    return [step for step, item in by_step.items() if found.get(item, {}).get("array_step") == under[step]]


class _Look(NamedTuple):
    """What an item carries, and under which of its keys the run index lists it."""

    carries: tuple[str, str] | None
    listed_under: frozenset[tuple[str, str]]

    @property
    def agrees(self) -> bool:
        return self.listed_under == ({self.carries} if self.carries else set())


def _run_index(ledger: Ledger, reader: Reader) -> Iterator[Finding]:
    rest = dict(ledger.attentive)
    for raw in reader.index(_RUN):
        key, listed = _key(raw), (raw["workflow_run_id"]["N"], raw["attention"]["S"])
        if rest.pop(key, None) != listed:
            yield from _look_until_it_stands(key, listed, reader)
    for key, carried in rest.items():
        yield from _look_until_it_stands(key, carried, reader)


def _look_until_it_stands(key: Key, suspect: tuple[str, str], reader: Reader) -> Iterator[Finding]:
    """What carries the same before and after a while, and is listed otherwise all the while, is wrong.

    What has changed meanwhile is looked at again; what never stops changing is well: the index follows it.
    """
    before: _Look | None = None
    for _ in range(TRIES):
        look = _look(key, suspect, reader)
        if look.agrees:
            return
        if look == before:
            yield Finding("run-index", f"{key.pk} / {key.sk}", _under(look.listed_under), _must(look.carries))
            return
        before = look
        reader.pause()


def _under(listed: Iterable[tuple[str, str]]) -> str:
    return " and ".join(f"listed under {run} {attention}" for run, attention in sorted(listed)) or "not listed"


def _must(carries: tuple[str, str] | None) -> str:
    return f"listed under {' '.join(carries)} alone" if carries else "not listed: it carries no attention, or is gone"


def _look(key: Key, suspect: tuple[str, str], reader: Reader) -> _Look:
    raw = reader.items([key]).get(key, {})
    carries = (raw["workflow_run_id"]["N"], raw["attention"]["S"]) if "attention" in raw else None
    suspects = {suspect} | ({carries} if carries else set())
    return _Look(carries, frozenset(each for each in suspects if key in map(_key, reader.attention(*each))))
