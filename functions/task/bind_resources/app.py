"""Store what a task asks of the cluster."""

from pydantic import RootModel

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id, RequestedResources, ShortText
from lockstep.http.models import Request
from lockstep.task.resources import bind_resources


class ResourcesToBind(Request):
    """A queue, and the resources that a task requests from it."""

    queue_id: Id
    requested_resources: RequestedResources
    task_resources_type_id: ShortText | None = None


class ResourcesReply(RootModel[int]):
    """The bare id."""


@endpoint("bind_resources")
def lambda_handler(body: ResourcesToBind) -> ResourcesReply:
    """Store them for good and answer their id."""
    return ResourcesReply(bind_resources(body.queue_id, body.task_resources_type_id, body.requested_resources))
