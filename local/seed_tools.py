"""The tools and task templates of a seed file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lockstep.dynamodb.item import Item
from lockstep.http.fields import Command, Hash, Id, Name
from lockstep.task_template.arguments import Arguments
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedTool(_Entry):
    """A tool with its versions."""

    tool_id: Id
    name: Name
    tool_version_ids: Annotated[list[Id], Field(min_length=1)]


class SeedTemplateVersion(_Entry):
    """A version of a task template."""

    task_template_version_id: Id
    command_template: Command
    arg_mapping_hash: Hash
    node_args: Arguments = []
    task_args: Arguments = []
    op_args: Arguments = []


class SeedTemplate(_Entry):
    """A task template with its versions."""

    task_template_id: Id
    tool_version_id: Id
    name: Name
    versions: list[SeedTemplateVersion] = []


def ids(tools: Sequence[SeedTool], templates: Sequence[SeedTemplate]) -> Mapping[str, list[int]]:
    """The ids of tools and templates by their counter."""
    return {
        "tool": [tool.tool_id for tool in tools],
        "tool_version": [version for tool in tools for version in tool.tool_version_ids],
        "task_template": [template.task_template_id for template in templates],
        "task_template_version": [each.task_template_version_id for one in templates for each in one.versions],
    }


def without_version(tools: Iterable[SeedTool], templates: Iterable[SeedTemplate]) -> Iterator[int]:
    """The positions of templates whose tool version is no tool's."""
    versions = {version for tool in tools for version in tool.tool_version_ids}
    return (index for index, template in enumerate(templates) if template.tool_version_id not in versions)


def items(tools: Iterable[SeedTool], templates: Iterable[SeedTemplate]) -> Iterator[Item]:
    """The items of tools and templates."""
    for tool in tools:
        yield Tool(*Tool.key(tool.tool_id), name=tool.name)
        yield ToolLookup(*ToolLookup.key(tool.name), id=tool.tool_id)
        for version_id in tool.tool_version_ids:
            yield VersionOfTool(*VersionOfTool.key(tool.tool_id, version_id))
            yield ToolVersion(*ToolVersion.key(version_id), tool_id=tool.tool_id)
    for template in templates:
        yield from _template(template)


def _template(template: SeedTemplate) -> Iterator[Item]:
    template_id, owner, name = template.task_template_id, template.tool_version_id, template.name
    yield TaskTemplate(*TaskTemplate.key(template_id), tool_version_id=owner, name=name)
    yield TemplateLookup(*TemplateLookup.key(owner, name), id=template_id)
    for version in template.versions:
        yield TemplateVersion(
            *TemplateVersion.key(template_id, version.command_template, version.arg_mapping_hash),
            id=version.task_template_version_id,
            **version.model_dump(exclude={"task_template_version_id"}),
        )
