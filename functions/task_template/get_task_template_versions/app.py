"""List a task template's versions."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.task_template.path import TaskTemplatePath
from lockstep.task_template.read import read_versions
from lockstep.task_template.views import VersionRow


class TaskTemplateVersionsReply(Reply):
    """The versions in the order of their ids."""

    task_template_versions: list[VersionRow]


@endpoint("get_task_template_versions")
def lambda_handler(path: TaskTemplatePath) -> TaskTemplateVersionsReply:
    """Return the newest versions: at most 1,000, and no more than a reply holds. Adding a version finds older ones."""
    return TaskTemplateVersionsReply(task_template_versions=read_versions(path.task_template_id))
