"""Show what a task asks of the cluster."""

from typing import Any

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath
from lockstep.http.models import Reply, Request
from lockstep.task.resources import read_resources


class ResourcesPath(Request):
    """The path of a route about one set of requested resources."""

    task_resources_id: IdInPath


class TaskResourcesReply(Reply):
    """The resources as they were bound, and their queue."""

    requested_resources: dict[str, Any]
    queue_name: str


@endpoint("get_task_resources")
def lambda_handler(path: ResourcesPath) -> TaskResourcesReply:
    """Return the resources as an object, whose text the distributor reads as a Python literal."""
    requested = read_resources(path.task_resources_id)
    return TaskResourcesReply(requested_resources=requested.resources, queue_name=requested.queue_name)
