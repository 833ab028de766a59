"""POST /api/v3/task_resources/{task_resources_id}: what the distributor asks the cluster for."""

from typing import Any

from lockstep.clusters import QUEUE_NAME
from lockstep.endpoint import endpoint
from lockstep.resources import read_resources
from lockstep.wire import IdInPath, Nothing, Reply, Request


class ResourcesPath(Request):
    """The path of a route about one set of requested resources."""

    task_resources_id: IdInPath


class TaskResourcesReply(Reply):
    """What was bound, as it was bound, and the queue it is for."""

    requested_resources: dict[str, Any]
    queue_name: str


@endpoint(ResourcesPath, Nothing)
def lambda_handler(path: ResourcesPath, _: Nothing) -> TaskResourcesReply:
    """The resources as an object: the distributor reads its text as a Python literal."""
    return TaskResourcesReply(requested_resources=read_resources(path.task_resources_id), queue_name=QUEUE_NAME)
