"""Templates and their versions as Jobmon's client reads them: arrays of values in a fixed order."""

from typing import NamedTuple

from lockstep.http.fields import Text
from lockstep.task_template.arguments import ids_by_name
from lockstep.task_template.item import TemplateVersion


class TemplateRow(NamedTuple):
    """A task template."""

    task_template_id: int
    tool_version_id: int
    name: Text


class VersionRow(NamedTuple):
    """A version of a task template: the names of its arguments by kind, and the id of each argument by its name."""

    task_template_version_id: int
    command_template: Text
    node_args: list[Text]
    task_args: list[Text]
    op_args: list[Text]
    ids_by_name: dict[Text, int]
    task_template_id: int


def version_row(task_template_id: int, version: TemplateVersion) -> VersionRow:
    """Show a version."""
    names = [*version.node_args, *version.task_args, *version.op_args]
    return VersionRow(
        version.id,
        version.command_template,
        version.node_args,
        version.task_args,
        version.op_args,
        ids_by_name(names),
        task_template_id,
    )
