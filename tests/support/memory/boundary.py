"""Where a function's call of DynamoDB leaves botocore: from here on it is answered in memory."""

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import Any, Final
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from local.engine import ENDPOINT_VARIABLE, LOCAL_SETTINGS
from lockstep.dynamodb import client
from lockstep.dynamodb.client import connect, connection
from lockstep.dynamodb.item import Item
from tests.support.clients import a_client_of_our_own
from tests.support.memory.operations import Key, Reply, Table, answer

NOWHERE: Final = "http://127.0.0.1:9"
"""Discards what is sent there, should a request ever get past the boundary."""

Answering = Callable[[str, dict[str, Any]], Reply]
"""What answers an operation's request; it may raise, as a connection that breaks does."""


class Memory:
    """A table, and the way requests reach it."""

    def __init__(self) -> None:
        self.table = Table()
        self._lock = Lock()

    @property
    def items(self) -> Mapping[Key, Mapping[str, Any]]:
        """What stands in the table, as DynamoDB's JSON."""
        return self.table.items

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Carry a request out."""
        with self._lock:
            self.table, reply = answer(self.table, operation, request)
        return reply


@contextmanager
def in_memory() -> Iterator[Memory]:
    """This process's functions work on an empty table. What they worked on before is theirs again afterwards."""
    memory = Memory()
    with answered_by(memory.answer):
        yield memory


@contextmanager
def calls_in_memory() -> Iterator[Memory]:
    """As in_memory, by calls_answered_by: for what asks much, and nothing of HTTP."""
    memory = Memory()
    with calls_answered_by(memory.answer):
        yield memory


@contextmanager
def answered_by(answering: Answering) -> Iterator[None]:
    """Every call of DynamoDB that this process's functions make is answered so, and none leaves the process."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        return _response(request.url, answering(operation, json.loads(request.body)))

    known, handlers = _connection_to_nowhere(str(client.RETRIES))
    events = known.connection.client.meta.events
    with _to_nowhere(), a_client_of_our_own(known), patch.object(events, "_emitter", copy(handlers)):
        events.register("before-send.dynamodb", send)
        yield


@contextmanager
def calls_answered_by(answering: Answering) -> Iterator[None]:
    """As answered_by, but before botocore makes HTTP of a call: a third of the time. It tries nothing again."""

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        reply = answering(operation, request)
        if reply.status == HTTPStatus.OK:
            return reply.body
        code = reply.body["__type"].rpartition("#")[2]
        raise ClientError({**reply.body, "Error": {"Code": code, "Message": reply.body["message"]}}, operation)

    known, _ = _connection_to_nowhere(str(client.RETRIES))
    with _to_nowhere(), a_client_of_our_own(known), patch.object(known.connection.client, "_make_api_call", call):
        yield


@cache
def _connection_to_nowhere(retries: str) -> tuple[Any, Any]:
    """A connection, and what its client's events lead to before anybody registers more.

    One for all, because botocore takes as long to make one as for a hundred calls.
    retries: what it is made with. A test may change that.
    """
    assert retries == str(client.RETRIES)
    with _to_nowhere(), a_client_of_our_own():
        connect()
        return Item._connection, connection().client.meta.events._emitter  # noqa: SLF001  # neither can be shared in public


def _to_nowhere() -> AbstractContextManager[Any]:
    return patch.dict(os.environ, LOCAL_SETTINGS | {ENDPOINT_VARIABLE: NOWHERE})


class _Raw(io.BytesIO):
    """A body as urllib3's responses have it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.getvalue()


def _response(url: str, reply: Reply) -> AWSResponse:
    raw = _Raw(json.dumps(reply.body).encode() if reply.raw is None else reply.raw)
    return AWSResponse(url, reply.status, {"content-type": "application/x-amz-json-1.0", **reply.headers}, raw)
