"""Conflicting reports about one instance, and the task status that follows from each outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sim import requests
from sim.client import Client, Reply
from sim.requests import Request

INCREMENT: Final = 300
"""Seconds to the next report: far more than the benchmark takes, so no heartbeat is ever late."""
RUNNING: Final = "R"
DONE: Final = "D"


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is sent about an instance at the same moment as others."""

    request: Callable[[int], Request]
    outcome: str | None = None
    """The instance status that it asks for; None for a heartbeat, which asks for none."""

    def send(self, client: Client, instance_id: int) -> str | None:
        """Send it. Returns its outcome, if the reply says that it stands."""
        reply = client.send(self.request(instance_id))
        return self.outcome if _stands(self.outcome, reply) else None


def _stands(outcome: str | None, reply: Reply) -> bool:
    """log_known_error says so by an empty message, or, in Jobmon 3.2, says nothing at all."""
    if not reply.ok or not reply.body:
        return False
    return bool(reply.body["status"] == outcome if "status" in reply.body else reply.body["message"] == "")


def _failed(end: str) -> Report:
    return Report(partial(requests.log_error, node="node-1", end=end, why=f"failed: {end}"), end)


_DONE: Final = Report(partial(requests.log_done, node="node-1"), DONE)
_UNKNOWN: Final = Report(partial(requests.log_triaged, end="U", why="nobody knows", known=True), "U")
_HEARTBEAT: Final = Report(partial(requests.log_report_by, increment=INCREMENT))
CONFLICTING: Final = (
    *(_DONE, _DONE),
    *(_failed("E"), _failed("E")),
    *(_failed("Z"), _UNKNOWN),
    *(_HEARTBEAT, _HEARTBEAT),
)
"""Two of them are sent twice, as after a lost reply."""
TASK_OF: Final = {RUNNING: RUNNING, DONE: DONE, "E": "G", "U": "G", "Z": "A", "F": "F"}
"""The status in which a task with attempts left must be, by that of its instance."""
