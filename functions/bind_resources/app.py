"""POST /api/v3/task/bind_resources: what a task asks of the cluster."""

from pydantic import RootModel

from lockstep.binding import bind_resources
from lockstep.endpoint import endpoint
from lockstep.wire import Id, Nothing, Request, RequestedResources, ShortText


class ResourcesToBind(Request):
    """A queue, and what is wanted of it."""

    queue_id: Id
    requested_resources: RequestedResources
    task_resources_type_id: ShortText | None = None


class ResourcesReply(RootModel[int]):
    """The bare id."""


@endpoint(Nothing, ResourcesToBind)
def lambda_handler(_: Nothing, body: ResourcesToBind) -> ResourcesReply:
    """Store them for good and answer their id."""
    return ResourcesReply(bind_resources(body.queue_id, body.task_resources_type_id, body.requested_resources))
