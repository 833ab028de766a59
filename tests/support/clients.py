"""A client of a test's own for this process's functions, and moto's DynamoDB behind it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import botocore.session
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
    with patch.dict(os.environ, LOCAL_SETTINGS), a_client_of_our_own(), mock_aws():
        os.environ.pop(ENDPOINT_VARIABLE, None)
        client = botocore.session.get_session().create_client("dynamodb", LOCAL_SETTINGS["AWS_DEFAULT_REGION"])
        client.create_table(**Template().table(Item.Meta.table_name))
        aws_limits.attach(connection().client.meta.events)
        yield
