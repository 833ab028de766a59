"""Show an instance and its task."""

from lockstep.http.endpoint import endpoint
from lockstep.task_instance.read import read_whole
from lockstep.task_instance.report import InstancePath
from lockstep.task_instance.views import WholeReply, whole


@endpoint("get_task_instance")
def lambda_handler(path: InstancePath) -> WholeReply:
    """Show the instance and its task as they stand together at one moment."""
    instance = path.instance
    return whole(instance, read_whole(instance))
