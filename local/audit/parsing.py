"""Items as they are read: of which kind, with which ids, and whether they are whole."""

import re
from typing import Final, NamedTuple

from local.audit.finding import Finding
from local.seed import MOST_STEPS
from lockstep.dynamodb import keys
from lockstep.dynamodb.client import RawItem
from lockstep.dynamodb.items import (
    Array,
    Batch,
    Counter,
    ErrorEntry,
    Item,
    Log,
    Lookup,
    Resources,
    Spec,
    Task,
    TaskInstance,
    WorkflowRun,
)

_ID: Final = r"([1-9]\d{0,15}|0)"
_NUMBER: Final = r"(\d{3})"
_DIGEST: Final = r"([0-9a-f]{13})"
_KINDS: Final[tuple[tuple[str, str, type[Item]], ...]] = (
    (rf"TASK#{_ID}", keys.TASK, Task),
    (rf"TASK#{_ID}", keys.SPEC, Spec),
    (rf"TASK#{_ID}", rf"TI#{_NUMBER}", TaskInstance),
    (rf"TASK#{_ID}", rf"TI#{_NUMBER}#LOG", Log),
    (rf"TASK#{_ID}", rf"TI#{_NUMBER}#ERR#{_DIGEST}", ErrorEntry),
    (rf"ARRAY#{_ID}", keys.ARRAY, Array),
    (rf"BATCH#{_ID}#{_ID}", keys.BATCH, Batch),
    (rf"BATCH#{_ID}#{_ID}", rf"RUN#{_ID}", Batch),
    (rf"RUN#{_ID}", keys.RUN, WorkflowRun),
    (rf"RESOURCES#{_ID}", keys.RESOURCES, Resources),
    (rf"(ARRAYOF)#{_ID}#{_ID}", keys.LOOKUP, Lookup),
    (rf"(TASKOF)#{_ID}#{_ID}#(?s:.*)", keys.LOOKUP, Lookup),
    (r"COUNTER#(array|task|task_resources|workflow_run)", keys.COUNTER, Counter),
)
_PATTERNS: Final = [(re.compile(pk), re.compile(sk), model) for pk, sk, model in _KINDS]


class Parsed(NamedTuple):
    """An item that could be read as what its key says."""

    item: Item
    ids: tuple[str, ...]
    """What the key carries, in its order."""


def parse(raw: RawItem) -> Parsed | Finding:
    """The item, or why it is none of Lockstep's."""
    pk, sk = raw["pk"]["S"], raw["sk"]["S"]
    for pk_pattern, sk_pattern, model in _PATTERNS:
        of_pk, of_sk = pk_pattern.fullmatch(pk), sk_pattern.fullmatch(sk)
        if of_pk and of_sk:
            return _read(raw, model, (*of_pk.groups(), *of_sk.groups()))
    return Finding("unknown-item", f"{pk} / {sk}", "of no kind that Lockstep writes", "an item that items.py describes")


def _read(raw: RawItem, model: type[Item], ids: tuple[str, ...]) -> Parsed | Finding:
    about = f"{raw['pk']['S']} / {raw['sk']['S']}"
    absent = [name for name, attribute in model.get_attributes().items() if not attribute.null and name not in raw]
    if absent:
        return Finding("malformed-item", about, f"without {', '.join(absent)}", f"a whole {model.__name__}")
    try:
        item = _typed(raw, model)
    except (ValueError, TypeError, AttributeError) as error:
        return Finding("malformed-item", about, f"unreadable: {error}", f"a {model.__name__} that items.py reads")
    outside = [
        f"{name} {value}" for name in _RANGES if not 0 <= (value := getattr(item, name, None) or 0) <= _most(name)
    ]
    outside += [number for number in ids if number.isdigit() and int(number) > _most(model.__name__)]
    if outside:
        return Finding("id-out-of-range", about, ", ".join(outside), "from 0 to what an id or a step may be")
    return Parsed(item, ids)


_RANGES: Final = (
    "id",
    "last",
    "array_id",
    "workflow_id",
    "workflow_run_id",
    "array_batch_num",
    "array_step_id",
    "size",
)
_MOST: Final = {"array_step_id": MOST_STEPS - 1, "size": MOST_STEPS} | dict.fromkeys(
    ("Task", "Spec", "TaskInstance", "Log", "ErrorEntry"), keys.MAX_ID // keys.INSTANCES_PER_TASK
)


def _most(name: str) -> int:
    return _MOST.get(name, keys.MAX_ID)


def _typed(raw: RawItem, model: type[Item]) -> Item:
    wrong = [
        name
        for name, attribute in model.get_attributes().items()
        if name in raw and next(iter(raw[name])) != attribute.attr_type
    ]
    if wrong:
        raise TypeError(f"{', '.join(wrong)} of another type")
    return model.from_raw_data(raw)
