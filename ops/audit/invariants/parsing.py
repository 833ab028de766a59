"""Every item is of a known kind, has all its attributes, and its numbers are in their ranges."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from local.seed import MOST_STEPS
from lockstep.dag.item import SHARDS, Dag, Edge, EdgePart
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID, Item, Key, RawItem
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.items import kind_of
from lockstep.task.bound_item import Spec, TaskLookup
from lockstep.task.item import Task
from lockstep.task_instance.item import INSTANCES_PER_TASK, ErrorEntry, ErrorText, Log, TaskInstance
from ops.audit.invariants.finding import Finding, in_words

TASK_STATUSES: Final = frozenset(TaskStatus)
INSTANCE_STATUSES: Final = frozenset(TaskInstanceStatus)
_MOST: Final = {
    **dict.fromkeys(("id", "last", "array_id", "workflow_id", "workflow_run_id", "array_batch_num"), MAX_ID),
    **dict.fromkeys(("tool_id", "tool_version_id"), MAX_ID),
    "node_id": MAX_LONG_ID,
    "array_step_id": MOST_STEPS - 1,
    "size": MOST_STEPS,
}
"""The greatest value of each attribute that has one. The least is 0."""
_MOST_IN_KEYS: Final[dict[type[Item], tuple[int, ...]]] = {
    TaskLookup: (MAX_ID, MAX_LONG_ID),
    Dag: (MAX_LONG_ID,),
    Edge: (MAX_LONG_ID, SHARDS - 1, MAX_LONG_ID),
    EdgePart: (MAX_LONG_ID, SHARDS - 1, MAX_LONG_ID, 999),
}
"""The greatest id or number at each place of a key, where that is not the same at all places."""
_OF_A_TASK: Final = (Task, Spec, TaskInstance, Log, ErrorEntry, ErrorText)


class Parsed(NamedTuple):
    """An item as its model reads it."""

    item: Item
    ids: tuple[int, ...]
    """The ids and numbers that its key carries, in order."""


def parse(raw: RawItem) -> Parsed | Finding:
    """Read an item by the model that its key names, or say what is wrong with it."""
    key = key_of(raw)
    about = in_words(key)
    kind = kind_of(key)
    if kind is None:
        return Finding("unknown-item", about, "of no kind that Lockstep writes", "in lockstep/items.py")
    if wrong := _malformed(raw, kind.model):
        return Finding("malformed-item", about, wrong, f"a {kind.model.__name__}")
    try:
        item = kind.model.from_raw_data(raw)
    except (ValueError, TypeError, AttributeError) as error:
        return Finding("malformed-item", about, f"unreadable: {error}", f"a {kind.model.__name__}")
    if outside := [*_out_of_range(item, kind.ids)]:
        return Finding("id-out-of-range", about, ", ".join(outside), "from 0 to what an id or a step may be")
    return Parsed(item, kind.ids)


def key_of(raw: RawItem) -> Key:
    """The key of an item."""
    return Key(raw["pk"]["S"], raw["sk"]["S"])


def _malformed(raw: RawItem, model: type[Item]) -> str:
    attributes = model.get_attributes().items()
    absent = [name for name, attribute in attributes if not attribute.null and name not in raw]
    wrong = [name for name, attribute in attributes if name in raw and next(iter(raw[name])) != attribute.attr_type]
    lines = [f"without {', '.join(absent)}"] * bool(absent) + [f"with another type of {', '.join(wrong)}"] * bool(wrong)
    return " and ".join(lines)


def _out_of_range(item: Item, ids: tuple[int, ...]) -> Iterator[str]:
    for name, most in _MOST.items():
        if not 0 <= (value := getattr(item, name, None) or 0) <= most:
            yield f"{name} {value}"
    usual = MAX_ID // INSTANCES_PER_TASK if isinstance(item, _OF_A_TASK) else MAX_ID
    mosts = _MOST_IN_KEYS.get(type(item), (usual,) * len(ids))
    yield from (str(number) for number, most in zip(ids, mosts, strict=True) if number > most)
