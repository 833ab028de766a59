"""Find or create a version of a task template."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Command, Hash
from lockstep.http.models import Reply, Request
from lockstep.task_template.arguments import Arguments
from lockstep.task_template.bind import NewVersion, add_version
from lockstep.task_template.path import TaskTemplatePath
from lockstep.task_template.views import VersionRow, version_row


class VersionToAdd(Request):
    """A version is known by its command, without blanks around it, and the client's hash of its arguments."""

    command_template: Command
    arg_mapping_hash: Hash
    node_args: Arguments
    task_args: Arguments
    op_args: Arguments


class TaskTemplateVersionReply(Reply):
    """The version, with its own arguments."""

    task_template_version: VersionRow


@endpoint("add_task_template_version")
def lambda_handler(path: TaskTemplatePath, body: VersionToAdd) -> TaskTemplateVersionReply:
    """Return the version with this command and hash, whatever its arguments, or a new one."""
    new = NewVersion(body.command_template, body.arg_mapping_hash, body.node_args, body.task_args, body.op_args)
    version = add_version(path.task_template_id, new)
    return TaskTemplateVersionReply(task_template_version=version_row(path.task_template_id, version))
