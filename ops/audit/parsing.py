"""Items as they are read: of which kind, with which ids, and whether they are whole."""

from typing import Final, NamedTuple

from local.seed import MOST_STEPS
from lockstep.dynamodb.item import MAX_ID, Item, Key, RawItem
from lockstep.items import kind_of
from lockstep.task_instance.item import INSTANCES_PER_TASK
from ops.audit.finding import Finding


class Parsed(NamedTuple):
    """An item that could be read as what its key says."""

    item: Item
    ids: tuple[int, ...]
    """The ids and numbers that its key carries, in order."""


def parse(raw: RawItem) -> Parsed | Finding:
    """The item, or why it is none of Lockstep's."""
    key = Key(raw["pk"]["S"], raw["sk"]["S"])
    kind = kind_of(key)
    if kind is None:
        return Finding(
            "unknown-item", f"{key.pk} / {key.sk}", "of no kind that Lockstep writes", "in lockstep/dynamodb/items.py"
        )
    return _read(raw, kind.model, kind.ids)


def _read(raw: RawItem, model: type[Item], ids: tuple[int, ...]) -> Parsed | Finding:
    about = f"{raw['pk']['S']} / {raw['sk']['S']}"
    absent = [name for name, attribute in model.get_attributes().items() if not attribute.null and name not in raw]
    if absent:
        return Finding("malformed-item", about, f"without {', '.join(absent)}", f"a whole {model.__name__}")
    try:
        item = _typed(raw, model)
    except (ValueError, TypeError, AttributeError) as error:
        return Finding("malformed-item", about, f"unreadable: {error}", f"a {model.__name__} that its model reads")
    outside = [
        f"{name} {value}" for name in _RANGES if not 0 <= (value := getattr(item, name, None) or 0) <= _most(name)
    ]
    outside += [str(number) for number in ids if number > _most(model.__name__)]
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
    ("Task", "Spec", "TaskInstance", "Log", "ErrorEntry"), MAX_ID // INSTANCES_PER_TASK
)


def _most(name: str) -> int:
    return _MOST.get(name, MAX_ID)


def _typed(raw: RawItem, model: type[Item]) -> Item:
    wrong = [
        name
        for name, attribute in model.get_attributes().items()
        if name in raw and next(iter(raw[name])) != attribute.attr_type
    ]
    if wrong:
        raise TypeError(f"{', '.join(wrong)} of another type")
    return model.from_raw_data(raw)
