"""Compare two tables, except for the time that passed and the ids that were given out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lockstep.array.item import EARLIER_RUNS, LAUNCHED_PREFIX, WAITING_PREFIX, Array, NextCheck
from lockstep.task.bound_item import Resources
from lockstep.task.item import Task
from lockstep.task_template.item import TaskTemplate
from lockstep.tool.item import Tool, ToolVersion
from lockstep.workflow.item import RunOfWorkflow, TaskRange, Workflow
from lockstep.workflow_run.earlier import nothing_since
from tests.support.memory.expressions import Item
from tests.support.memory.operations import Key

TIMES: Final = frozenset(
    {
        "claimed_at",
        "created_date",
        "error_time",
        "grows_until",
        "heartbeat_date",
        "linked_since",
        "made_at",
        "noted_at",
        "queued_at",
        "report_by",
        "restarted_at",
        "status_date",
        "taken_at",
    }
)
IGNORED: Final = frozenset({"pk", "sk", "num_batches", "num_tasks", "seen", "stopped_for", "feed", "refusals"})
"""Keys are compared by their partitions; numbers of batches and of tasks may be skipped, and with those of tasks the
shard of the change feed; what was seen of a batch may lag; a slow call notes which batches it
has passed; a report that is sent again is refused again.
"""
ROUNDED: Final = 0.002
"""A batch's due time is kept in milliseconds."""

LOOKUPS: Final[dict[str, Any]] = {
    "TASKOF#": Task,
    "ARRAYOF#": Array,
    "TOOLOF#": Tool,
    "TOOLVERSION#": TaskTemplate,
    "WORKFLOWOF#": Workflow,
}
"""What the items with an id in these partitions lead to."""

Partition = Mapping[str, Item]
Partitions = Mapping[str, Partition]


def partitions(before: Mapping[Key, Item], items: Mapping[Key, Item]) -> Partitions:
    """Group the items by partition, without counters, under names that do not depend on ids given out since `before`.

    A new task, array, tool or template is named after its lookup. A new run, set of resources or version of a tool is
    named after its content, because each call makes another one; the versions of a new tool are numbered. New batches
    are left out, and the steps of their instances: rules.py checks those.
    """
    names = _names(items)
    names |= {key[0]: _name(key[0], items[key], names) for key in items if _is_new_set(key, before)}
    entries = {key: _entry(before, key, items) for key in items if _is_entry(key)}
    names |= {_version_of(key): f"{ToolVersion.SORT_KEY} {names.get(key[0], key[0])} {entries[key]}" for key in entries}
    grouped: dict[str, dict[str, Item]] = defaultdict(dict)
    for (pk, sk), item in items.items():
        if pk.startswith("COUNTER#") or ((pk, sk) not in before and (pk.startswith("BATCH#") or _is_range(sk))):
            continue
        is_new = (pk, sk) not in before and (pk, Task.SORT_KEY) not in before
        shown = entries.get((pk, sk), "a run" if _is_pointer(pk, sk) and (pk, sk) not in before else sk)
        grouped[_name(pk, item, names) if is_new else pk][shown] = _without_numbers(before, (pk, sk), item, names)
    return grouped


def _is_new_set(key: Key, before: Mapping[Key, Item]) -> bool:
    """Whether it is a set of resources that was bound since."""
    return key not in before and key[1] == Resources.SORT_KEY


def _is_range(sk: str) -> bool:
    """Whether it is a range of task ids of a workflow, of which a call that is repeated leaves another one."""
    return sk.startswith(TaskRange.PREFIX)


def _is_pointer(pk: str, sk: str) -> bool:
    return pk.startswith("WORKFLOW#") and sk.startswith(RunOfWorkflow.PREFIX)


def _names(items: Mapping[Key, Item]) -> dict[str, str]:
    """What lookups lead to: the names of partitions."""
    return {
        leads_to.key(int(item["id"]["N"])).pk: f"{leads_to.SORT_KEY}:{pk} {sk}"
        for prefix, leads_to in LOOKUPS.items()
        for (pk, sk), item in items.items()
        if pk.startswith(prefix) and "id" in item
    }


def _is_entry(key: Key) -> bool:
    """Whether it lists a version of a tool."""
    return key[0].startswith("TOOL#") and key[1].startswith("VERSION#")


def _version_of(entry: Key) -> str:
    return ToolVersion.partition(int(entry[1].removeprefix("VERSION#")))


def _entry(before: Mapping[Key, Item], key: Key, items: Mapping[Key, Item]) -> str:
    """What to call an entry: by its number among those of a new tool, and like all new ones of a tool that is known."""
    if key in before:
        return key[1]
    if (key[0], Tool.SORT_KEY) in before:
        return "a new version"
    return f"version {sorted(sk for pk, sk in items if pk == key[0]).index(key[1])}"


def _name(pk: str, item: Item, names: Mapping[str, str]) -> str:
    if pk.startswith(("RUN#", "RESOURCES#")):
        return f"{pk.partition('#')[0]}:{sorted((n, str(v)) for n, v in item.items() if n not in TIMES | {'pk'})}"
    return names.get(pk, pk)


def _without_numbers(before: Mapping[Key, Item], key: Key, item: Item, names: Mapping[str, str]) -> Item:
    if before.get(key) is item:
        return item
    own = {name: value for name, value in item.items() if name not in {"pk", "sk"}}
    leads_to = next((model for prefix, model in LOOKUPS.items() if key[0].startswith(prefix)), None)
    if leads_to and "id" in own and (key not in before or before[key]["id"] != item["id"]):
        own["id"] = {"S": names[leads_to.key(int(item["id"]["N"])).pk]}
    if key[0].startswith(("ARRAY#", "WORKFLOW#")) and key not in before:
        own.pop("listed_as", None)
    if key[0].startswith("TEMPLATE#") and key not in before:
        own.pop("id", None)
    if own.get("task_resources_id") != before.get(key, {}).get("task_resources_id"):
        pk = Resources.key(int(own["task_resources_id"]["N"])).pk
        own["task_resources_id"] = {"S": names.get(pk, pk)}
    if "tool_id" in own and (owner := Tool.key(int(own["tool_id"]["N"]))) not in before:
        own["tool_id"] = {"S": names[owner.pk]}
    if key[0].startswith("WORKFLOW#") and "workflow_run_id" in own:
        own["workflow_run_id"] = {"S": "a run"}
    if key[1].startswith("TI#") and key not in before and "array_batch_num" in own:
        for name in ("array_batch_num", "array_step", "array_step_id"):
            del own[name]
    return own


def is_among(found: Partition | None, known: Iterable[Partition | None], later: float) -> bool:
    """Whether a partition is one of the known ones; its times may be up to `later` seconds later."""
    return any(_is_same(found, other, later) for other in known)


def _is_same(found: Partition | None, other: Partition | None, later: float) -> bool:
    if found is None or other is None:
        return found is other
    return found.keys() == other.keys() and all(_is_same_item(found[sk], other[sk], later) for sk in found)


def _is_same_item(found: Item, other: Item, later: float) -> bool:
    if found is other:
        return True
    names = (found.keys() | other.keys()) - IGNORED
    return all(_is_same_value(name, found.get(name), other.get(name), later) for name in names)


def _is_same_value(name: str, found: Any, other: Any, later: float) -> bool:
    if found == other:
        return True
    if found is None or other is None:
        return False
    if name in {"changed", "cursor", "listed_as"}:
        split = _progress_and_moment if name == "cursor" else _moment_and_rest
        (at, rest), (then, as_then) = (split(each["S"]) for each in (found, other))
        return rest == as_then and -ROUNDED <= at - then <= later + ROUNDED
    if name in TIMES:
        return 0 <= float(found["N"]) - float(other["N"]) <= later + ROUNDED
    return name == "attention" and _is_same_attention(found["S"], other["S"], later)


def _is_same_attention(found: str, other: str, later: float) -> bool:
    if found[:2] in {LAUNCHED_PREFIX, WAITING_PREFIX}:
        ours, theirs = NextCheck.parse(found), NextCheck.parse(other)
        return ours.waiting == theirs.waiting and -ROUNDED <= ours.due - theirs.due <= later + ROUNDED
    if not found.startswith(EARLIER_RUNS):
        return False
    since, as_then = nothing_since(found), nothing_since(other)
    return since is not None and as_then is not None and -ROUNDED <= since - as_then <= later + ROUNDED


def _moment_and_rest(key: str) -> tuple[float, str]:
    """When a task changed or failed, and which status it has, or its id."""
    at, _, rest = key.partition("#")
    return int(at) / 1000, rest


def _progress_and_moment(cursor: str) -> tuple[float, str]:
    """When a call about all tasks noted how far it had come, and how far that was."""
    progress, _, at = cursor.rpartition("#")
    return float(at), progress
