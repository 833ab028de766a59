"""Check lookups: what has a natural key is found by it, and a lookup leads to what has its key.

Both are written together, and neither is ever taken back or changed. A task's lookup is another matter: tasks.py.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from lockstep.array.item import Array, ArrayLookup
from lockstep.dynamodb.item import Key
from lockstep.task_template.item import TaskTemplate, TemplateLookup
from lockstep.tool.item import Tool, ToolLookup
from lockstep.workflow.item import WorkflowLookup, WorkflowSpec
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model

Lookup = ToolLookup | TemplateLookup | ArrayLookup | WorkflowLookup
Found = Tool | TaskTemplate | Array | WorkflowSpec


class _Natural(NamedTuple):
    what: str
    model: type[Found]
    lookup: type[Lookup]
    key_of: Callable[[Any], Key]
    """The key of the lookup that leads to an item."""


_NATURAL: Final = (
    _Natural("tool", Tool, ToolLookup, lambda tool: ToolLookup.key(tool.name)),
    _Natural("task template", TaskTemplate, TemplateLookup, lambda it: TemplateLookup.key(it.tool_version_id, it.name)),
    _Natural("array", Array, ArrayLookup, lambda it: ArrayLookup.key(it.workflow_id, it.task_template_version_id)),
    _Natural(
        "workflow",
        WorkflowSpec,
        WorkflowLookup,
        lambda it: WorkflowLookup.key(it.workflow_args_hash, it.tool_version_id, it.dag_id, it.task_hash),
    ),
)


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """What has a natural key, or is a lookup, and the other one."""
    item, ids = parsed
    for natural in _NATURAL:
        if isinstance(item, natural.model):
            key = natural.key_of(item)
            lookup = read_model(natural.lookup, key, reads)
            if lookup is None or lookup.id != ids[0]:
                got = f"for {natural.what} {lookup.id}" if lookup else "not there"
                yield Finding("lookup", in_words(key), got, f"for {natural.what} {ids[0]}, which has this key")
        elif isinstance(item, natural.lookup):
            found = read_model(natural.model, natural.model.key(item.id), reads)
            if found is None or natural.key_of(found) != Key(item.pk, item.sk):
                must = f"for a {natural.what} of this key"
                yield Finding("lookup", in_words(item), f"for {natural.what} {item.id}", must)
