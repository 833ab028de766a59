"""A client of a test's own for this process's functions, and moto's DynamoDB behind it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from local import aws_limits
from local.engine import ENDPOINT_VARIABLE, LOCAL_SETTINGS
from local.template import Template
from lockstep.cluster import known as clusters
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item
from lockstep.task.resources import forget


@contextmanager
def a_client_of_our_own(connected: Any = None) -> Iterator[None]:
    """The functions make a new client and know nothing of what they have read. Afterwards their old one is back.

    connected: the connection that they use instead of a new one.
    """
    with patch.object(Item, "_connection", connected):
        forget()
        clusters.forget()
        yield
        forget()
        clusters.forget()


@contextmanager
def on_moto() -> Iterator[None]:
    """The functions work on an empty table of moto's: one thread at a time."""
    with patch.dict(os.environ, LOCAL_SETTINGS), mock_aws():
        os.environ.pop(ENDPOINT_VARIABLE, None)
        with a_client_of_our_own(_connection_to_moto()):
            connection().client.create_table(**Template().table(Item.Meta.table_name))
            yield


@cache
def _connection_to_moto() -> Any:
    """One for all, because botocore takes as long to make one as for a hundred calls."""
    with a_client_of_our_own():
        aws_limits.attach(connection().client.meta.events)
        return Item._connection  # noqa: SLF001  # PynamoDB has no public way to share a client
