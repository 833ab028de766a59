"""Check tools, task templates and their versions: what each belongs to is there. None is ever taken back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lockstep.dynamodb.item import Item, Key
from lockstep.task_template.item import TaskTemplate, TemplateVersion
from lockstep.tool.item import Tool, ToolVersion, VersionOfTool
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model

_BELONGS_TO: Final[Mapping[type[Item], tuple[str, Callable[[Any, Sequence[int]], list[Key]]]]] = {
    ToolVersion: (
        "tool-version",
        lambda item, ids: [Tool.key(item.tool_id), VersionOfTool.key(item.tool_id, ids[0])],
    ),
    TaskTemplate: ("task-template", lambda item, _: [ToolVersion.key(item.tool_version_id)]),
    TemplateVersion: ("task-template", lambda _, ids: [TaskTemplate.key(ids[0])]),
}
"""What must be there beside an item of a kind, and the name of the check."""


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """The broken invariants between an item of these kinds and the items that belong to it."""
    item, ids = parsed
    if type(item) in _BELONGS_TO:
        check, keys_of = _BELONGS_TO[type(item)]
        found = reads.items(keys := keys_of(item, ids))
        yield from (
            Finding(check, in_words(item), f"without {in_words(key)}", "with it") for key in keys if key not in found
        )
    match item:
        case Tool():
            if all(raw["sk"]["S"] == Tool.SORT_KEY for raw in reads.partition(item.pk)):
                yield Finding("tool-version", in_words(item), "without a version", "with one: it was made with it")
        case VersionOfTool():
            version = read_model(ToolVersion, ToolVersion.key(ids[1]), reads)
            if version is None or version.tool_id != ids[0]:
                got = f"of tool version {ids[1]}, " + (f"of tool {version.tool_id}" if version else "not there")
                yield Finding("tool-version", in_words(item), got, f"of a version of tool {ids[0]}")
        case TemplateVersion():
            key = TemplateVersion.key(ids[0], item.command_template, item.arg_mapping_hash)
            if key.sk != item.sk:
                yield Finding("lookup", in_words(item), "other content", f"content of {key.sk}, its digest")
