"""Requests that start together, over HTTP."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

import httpx

from sim.requests import Request

BINDERS: Final = 8
"""The clients that bind one thing at once."""


def all_at_once(api: httpx.Client, requests: Sequence[Request]) -> list[Any]:
    """Return the replies' bodies, in the order of the requests. All requests start together and are answered 200."""
    start = Barrier(len(requests))

    def send(request: Request) -> Any:
        start.wait()
        reply = api.request(request.method, request.path, json=request.body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(send, requests))


def same_for_all(api: httpx.Client, requests: Sequence[Request]) -> Any:
    """Return the one body that all clients are told."""
    first, *others = all_at_once(api, requests)
    assert all(other == first for other in others), (requests[0].path, first, others)
    return first


def one_of(api: httpx.Client, request: Request) -> Any:
    """Return what all of BINDERS clients are told that send one request at once."""
    return same_for_all(api, [request] * BINDERS)
