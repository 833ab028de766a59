"""The audit names the items of tools and task templates that do not fit together, and none in a table that is well."""

from collections.abc import Callable
from typing import Final

import pytest

from local import seed_tools
from local.seed import Seed
from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.item import Key, RawItem
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool
from ops.audit.small import check_table

Table = dict[tuple[str, str], RawItem]
Tear = Callable[[Table], None]

VERSION: Final = {
    "task_template_version_id": 9,
    "command_template": "run {n}",
    "arg_mapping_hash": "5",
    "node_args": ["n"],
}
SEED: Final = Seed.model_validate(
    {
        "tools": [
            {"tool_id": 1, "name": "a", "tool_version_ids": [3, 4]},
            {"tool_id": 2, "name": "b", "tool_version_ids": [5]},
        ],
        "task_templates": [
            {"task_template_id": 6, "tool_version_id": 4, "name": "t", "versions": [VERSION]},
            {"task_template_id": 7, "tool_version_id": 4, "name": ""},
        ],
    }
)
COUNTERS: Final = {"tool": 2, "tool_version": 5, "task_template": 7, "task_template_version": 9}


def a_table() -> Table:
    items = [*seed_tools.items(SEED.tools, SEED.task_templates)]
    counters = [Counter(*Counter.key(kind), last=last) for kind, last in COUNTERS.items()]
    return {Key(item.pk, item.sk): item.serialize() for item in (*items, *counters)}


def gone(key: Key) -> Tear:
    def tear(table: Table) -> None:
        del table[key]

    return tear


def changed(key: Key, **values: int) -> Tear:
    def tear(table: Table) -> None:
        table[key] = table[key] | {name: {"N": str(value)} for name, value in values.items()}

    return tear


def copied(key: Key, to: Key) -> Tear:
    def tear(table: Table) -> None:
        table[to] = table[key] | {"pk": {"S": to.pk}, "sk": {"S": to.sk}}

    return tear


def without(key: Key, name: str) -> Tear:
    def tear(table: Table) -> None:
        table[key] = {other: value for other, value in table[key].items() if other != name}

    return tear


STORED: Final = TemplateVersion.key(6, "run {n}", "5")
TEARS: Final[dict[str, tuple[str, Tear]]] = {
    "no lookup of a tool": ("lookup", gone(ToolLookup.key("a"))),
    "a lookup of no tool": ("lookup", changed(ToolLookup.key("a"), id=77)),
    "a lookup of another tool": ("lookup", changed(ToolLookup.key("a"), id=2)),
    "a lookup by a name that no tool has": ("lookup", copied(ToolLookup.key("a"), ToolLookup.key("c"))),
    "no tool": ("lookup", gone(Tool.key(1))),
    "a version of no tool": ("tool-version", gone(Tool.key(1))),
    "a tool without a version": ("tool-version", gone(VersionOfTool.key(2, 5))),
    "a version that its tool does not list": ("tool-version", gone(VersionOfTool.key(1, 3))),
    "a version that another tool lists": ("tool-version", changed(ToolVersion.key(3), tool_id=2)),
    "a listed version that is not there": ("tool-version", gone(ToolVersion.key(3))),
    "no lookup of a template": ("lookup", gone(TemplateLookup.key(4, "t"))),
    "a lookup of no template": ("lookup", gone(TaskTemplate.key(7))),
    "a lookup of another template": ("lookup", changed(TemplateLookup.key(4, "t"), id=7)),
    "a lookup by a name that no template has": (
        "lookup",
        copied(TemplateLookup.key(4, "t"), TemplateLookup.key(4, "u")),
    ),
    "a lookup of another tool version's": ("lookup", copied(TemplateLookup.key(4, "t"), TemplateLookup.key(5, "t"))),
    "a template of no tool version": ("task-template", gone(ToolVersion.key(4))),
    "a version of no template": ("task-template", gone(TaskTemplate.key(6))),
    "a version under the key of another": ("lookup", copied(STORED, TemplateVersion.key(6, "run {n}", "6"))),
    "a version without a list": ("malformed-item", without(STORED, "op_args")),
    "a tool id out of range": ("id-out-of-range", changed(ToolVersion.key(3), tool_id=2**53)),
    **{
        f"the counter of {kind} behind": ("counter", changed(Counter.key(kind), last=last - 1))
        for kind, last in COUNTERS.items()
    },
}


def test_what_is_bound_is_clean() -> None:
    assert check_table(a_table()) == []


@pytest.mark.parametrize(("check", "tear"), TEARS.values(), ids=TEARS)
def test_what_is_torn_is_named(check: str, tear: Tear) -> None:
    table = a_table()
    tear(table)
    assert check in {finding.check for finding in check_table(table)}
