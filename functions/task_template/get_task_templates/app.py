"""List the task templates of a tool version."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath
from lockstep.http.models import Reply, Request
from lockstep.task_template.read import read_templates
from lockstep.task_template.views import TemplateRow


class ToolVersionPath(Request):
    """The path of a route about one tool version."""

    tool_version_id: IdInPath


class TaskTemplatesReply(Reply):
    """The templates in the order of their ids."""

    task_templates: list[TemplateRow]


@endpoint("get_task_templates")
def lambda_handler(path: ToolVersionPath) -> TaskTemplatesReply:
    """Return at most the first 10,000 templates by name, as a reply holds them. Binding a template finds all others."""
    return TaskTemplatesReply(task_templates=read_templates(path.tool_version_id))
