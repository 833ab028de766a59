"""Requests and replies that routes of several kinds have."""

from lockstep.http.fields import Ids
from lockstep.http.models import Reply, Request


class TaskInstanceIds(Request):
    """A list of task instances; the order and doubles do not matter."""

    task_instance_ids: Ids


class NoReply(Reply):
    """An empty object."""


class LimitReply(Reply):
    """The number of tasks that may run at once."""

    max_concurrently_running: int


class MessageReply(Reply):
    """Why nothing moved; empty if it moved."""

    message: str
