"""What is walked on: the API as API Gateway serves it, in this process, on a table in memory, by a clock of ours."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

import httpx

from local.gateway import Gateway
from local.meter import Meter
from lockstep.cluster import known
from lockstep.dynamodb import counters
from lockstep.observability import logger
from lockstep.routes import ROUTES as ALL_ROUTES
from lockstep.task.resources import forget
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, calls_in_memory
from tests.support.memory.operations import Table

ROUTES: Final = {route.name: route for route in ALL_ROUTES}
DAGS: Final = (11, 2**63 - 1)
"""Those of the workflows of a walk. Their tool has two versions."""
PARAMETER: Final = re.compile(r"\{\w+\}")


class SkewedTime(VirtualTime):
    """The clocks of the machines that serve requests: each is off by a little."""

    skew = 0.0

    def time(self) -> float:
        return round(super().time() + self.skew, 6)


class System:
    """One API, one table, one clock."""

    def __init__(self, memory: Memory, clock: SkewedTime, loop: asyncio.Runner) -> None:
        self.memory, self.clock = memory, clock
        self._loop = loop
        gateway: Any = Gateway(Meter())
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://model/api/v3")

    def begin_again(self) -> None:
        """With an empty table, at the first moment."""
        self.memory.table = Table()
        self.clock.passed = self.clock.skew = 0.0
        forget()
        known.forget()
        self.send("bind_tool", name="tool")
        self.send("create_tool_version", tool_id=1)
        for dag_hash in DAGS:
            self.send("bind_dag", dag_hash=dag_hash)

    @property
    def items(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        return self.memory.items

    def send(self, route: str, *ids: int, **body: Any) -> tuple[int, Any]:
        """The status and the body of a reply."""
        numbers = iter(ids)
        path = PARAMETER.sub(lambda _: str(next(numbers)), ROUTES[route].resource.removeprefix("/api/v3"))
        method = ROUTES[route].method
        sent: dict[str, Any] = {"params": body} if method == "GET" else {"content": json.dumps(body)}
        reply = self._loop.run(self._client.request(method, path, **sent))
        return reply.status_code, reply.json()


@contextmanager
def system() -> Iterator[System]:
    """It is made once: of all that an example needs, clients take the longest to make."""
    logging.getLogger(logger.name).setLevel("CRITICAL")
    clock = SkewedTime()
    from_one = patch.dict(counters.BEFORE_FIRST, dict.fromkeys(counters.COUNTED, 0))
    with calls_in_memory() as memory, running_on(clock), from_one, asyncio.Runner() as loop:
        yield System(memory, clock, loop)
