"""Show a queue of a cluster, and its limits."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from lockstep.cluster.builtin import Queue
from lockstep.cluster.known import find_queue
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath, Text
from lockstep.http.models import Reply, Request


class QueuePath(Request):
    """A queue of the cluster that has an id."""

    cluster_id: Annotated[IdInPath, Field(alias="cluster_name")]
    queue_name: Annotated[Text, WithJsonSchema({"type": "string", "minLength": 1})]


class QueueReply(Reply):
    """The queue; null if there is none."""

    queue: Queue | None


@endpoint("get_queue")
def lambda_handler(path: QueuePath) -> QueueReply:
    """Return the queue. A client asks once for each cluster and queue of its tasks."""
    return QueueReply(queue=find_queue(path.cluster_id, path.queue_name))
