"""Check tools, task templates and their versions: what each belongs to is there."""

from collections.abc import Iterator

from lockstep.task_template.item import TaskTemplate, TemplateVersion
from lockstep.tool.item import Tool, ToolVersion, VersionOfTool
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """The broken invariants between an item of these kinds and the items that belong to it. None is ever taken back."""
    item, ids = parsed
    if isinstance(item, Tool):
        yield from _tool(ids[0], reads)
    elif isinstance(item, VersionOfTool):
        yield from _entry(ids[0], ids[1], reads)
    elif isinstance(item, ToolVersion):
        yield from _version(item, ids[0], reads)
    elif isinstance(item, TaskTemplate):
        yield from _template(item, ids[0], reads)
    elif isinstance(item, TemplateVersion):
        yield from _template_version(item, ids[0], reads)


def _tool(tool_id: int, reads: Reads) -> Iterator[Finding]:
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
