"""The path of a route about one array, and the batch that its body names."""

from lockstep.http.fields import IdInPath, SmallCount
from lockstep.http.models import Request


class ArrayPath(Request):
    """The path of a route about one array."""

    array_id: IdInPath


class BatchOfArray(Request):
    """One batch of the array that the path names."""

    batch_number: SmallCount
