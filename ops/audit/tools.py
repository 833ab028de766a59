"""Check tools, task templates and their versions: each is found by its natural key, and what it belongs to is there."""

from collections.abc import Iterator

from lockstep.dynamodb.item import Key
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """The broken invariants between an item of these kinds and the items that belong to it. None is ever taken back."""
    item, ids = parsed
    if isinstance(item, Tool):
        yield from _tool(item, ids[0], reads)
    elif isinstance(item, VersionOfTool):
        yield from _entry(ids[0], ids[1], reads)
    elif isinstance(item, ToolVersion):
        yield from _version(item, ids[0], reads)
    elif isinstance(item, TaskTemplate):
        yield from _template(item, ids[0], reads)
    elif isinstance(item, TemplateVersion):
        yield from _template_version(item, ids[0], reads)
    elif isinstance(item, ToolLookup):
        yield from _tool_lookup(item, reads)
    elif isinstance(item, TemplateLookup):
        yield from _template_lookup(item, ids[0], reads)


def _tool(tool: Tool, tool_id: int, reads: Reads) -> Iterator[Finding]:
    key = ToolLookup.key(tool.name)
    lookup = read_model(ToolLookup, key, reads)
    if lookup is None or lookup.id != tool_id:
        yield _misled(key, lookup.id if lookup else None, f"tool {tool_id}, which has this name")
    if not any(raw["sk"]["S"] != Tool.SORT_KEY for raw in reads.partition(Tool.partition(tool_id))):
        yield Finding("tool-version", f"tool {tool_id}", "without a version", "with one: it was made with it")


def _entry(tool_id: int, tool_version_id: int, reads: Reads) -> Iterator[Finding]:
    version = read_model(ToolVersion, ToolVersion.key(tool_version_id), reads)
    if version is None or version.tool_id != tool_id:
        got = f"a version of tool {version.tool_id}" if version else "not there"
        yield Finding("tool-version", f"tool version {tool_version_id}", got, f"a version of tool {tool_id}, as listed")


def _version(version: ToolVersion, tool_version_id: int, reads: Reads) -> Iterator[Finding]:
    keys = [Tool.key(version.tool_id), VersionOfTool.key(version.tool_id, tool_version_id)]
    if len(reads.items(keys)) < len(keys):
        must = f"in the list of tool {version.tool_id}, which is there"
        yield Finding("tool-version", f"tool version {tool_version_id}", "in no list", must)


def _template(template: TaskTemplate, task_template_id: int, reads: Reads) -> Iterator[Finding]:
    key = TemplateLookup.key(template.tool_version_id, template.name)
    lookup = read_model(TemplateLookup, key, reads)
    if lookup is None or lookup.id != task_template_id:
        yield _misled(key, lookup.id if lookup else None, f"task template {task_template_id}, which has this name")
    if not reads.items([ToolVersion.key(template.tool_version_id)]):
        got = f"of tool version {template.tool_version_id}, which is not there"
        yield Finding("task-template", f"task template {task_template_id}", got, "of a tool version that is there")


def _template_version(version: TemplateVersion, task_template_id: int, reads: Reads) -> Iterator[Finding]:
    about = f"task template version {version.id}"
    key = TemplateVersion.key(task_template_id, version.command_template, version.arg_mapping_hash)
    if key.sk != version.sk:
        yield Finding("lookup", about, f"under {version.sk}", f"under {key.sk}, a digest of its content")
    if not reads.items([TaskTemplate.key(task_template_id)]):
        got = f"of task template {task_template_id}, which is not there"
        yield Finding("task-template", about, got, "of a task template that is there")


def _tool_lookup(lookup: ToolLookup, reads: Reads) -> Iterator[Finding]:
    tool = read_model(Tool, Tool.key(lookup.id), reads)
    if tool is None or ToolLookup.key(tool.name).pk != lookup.pk:
        yield _misled(Key(lookup.pk, lookup.sk), lookup.id, "a tool of this name")


def _template_lookup(lookup: TemplateLookup, tool_version_id: int, reads: Reads) -> Iterator[Finding]:
    template = read_model(TaskTemplate, TaskTemplate.key(lookup.id), reads)
    if template is None or (template.tool_version_id, template.name) != (tool_version_id, lookup.name):
        yield _misled(Key(lookup.pk, lookup.sk), lookup.id, "a task template of this tool version and name")


def _misled(key: Key, leads_to: int | None, must: str) -> Finding:
    return Finding("lookup", in_words(key), f"for {leads_to}" if leads_to else "not there", must)
