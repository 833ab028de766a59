"""Find or create a task template."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id, Name
from lockstep.http.models import Reply, Request
from lockstep.task_template.bind import bind_template


class TaskTemplateToBind(Request):
    """A template is known by its tool version and its name, to the letter."""

    tool_version_id: Id
    task_template_name: Name


class TaskTemplateReply(Reply):
    """The template's id."""

    task_template_id: int


@endpoint("bind_task_template")
def lambda_handler(body: TaskTemplateToBind) -> TaskTemplateReply:
    """Return the template of this name, a new one if there is none."""
    return TaskTemplateReply(task_template_id=bind_template(body.tool_version_id, body.task_template_name))
