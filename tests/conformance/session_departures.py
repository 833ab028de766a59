"""Where Lockstep departs from Jobmon's recorded sessions, and what it does instead.

Numbers as in docs/departures.md.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.conformance.client import SYMBOL, Request, route_of
from tests.conformance.client_departures import Expected
from tests.conformance.places import number_of
from tests.conformance.sessions import Session, seconds

ENDED: Final = {"status": "D"}
RESUMABLE: Final = {"workflow_is_resumable": True, "pending_kill_self": 0}
ALL_DONE: Final = {192: ENDED, 193: ENDED} | dict.fromkeys(range(194, 202), RESUMABLE)
"""s18: the tasks end before the run that a resume asks to end, so it becomes D, and holds the workflow no more."""
AGAIN_SECONDS: Final = 20
"""How long before its last_sync a change may be that a poll tells."""
TOLD: Final = set("DFAG")
"""The statuses that a poll tells of: those that the client acts on."""


@dataclass
class Polls:
    """What the polls of a session's clients tell: changes that the client acts on, again until they are 20 s old."""

    session: Session
    changed: dict[str, float] = field(default_factory=dict)
    """The time of the last report about a task, in seconds since 1970."""
    statuses: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """What the polls told last of each task, by the path that names their workflow."""

    def follow(self, exchange: Request) -> None:
        """Note when an exchange changes tasks, and what a poll tells of them."""
        for task in self._reported(exchange):
            self.changed[task] = self.session.start + exchange["t"]
        if _polls(exchange):
            for status, tasks in exchange["response"]["tasks_by_status"].items():
                self.statuses[exchange["path"]] |= dict.fromkeys(tasks, status)

    def _reported(self, exchange: Request) -> set[str]:
        match exchange["route"].rpartition("/")[2]:
            case "log_done" | "log_error_worker_node":
                [(instance, _)] = SYMBOL.findall(exchange["path"])
                return {self.session.attempts[instance][0]}
            case "transition_to_killed":
                return {task for task, _ in self.session.attempts.values()} - self.changed.keys()
        return set()

    def expected(self, exchange: Request) -> Expected | None:
        """What a poll is answered, if that is not what was recorded."""
        if not _polls(exchange) or "last_sync" not in exchange["body"]:
            return None
        since = seconds(exchange["body"]["last_sync"]) - AGAIN_SECONDS
        told: dict[str, list[str]] = defaultdict(list)
        for task, status in self.statuses[exchange["path"]].items():
            if status in TOLD and self.changed.get(task, 0) >= since:
                told[status].append(task)
        recorded = exchange["response"]["tasks_by_status"]
        if _sorted(told) == _sorted(recorded):
            return None
        return Expected("38", 200, {"tasks_by_status": dict(told), "time": "$TIME"})


def _polls(exchange: Request) -> bool:
    return bool(exchange["route"].endswith("/task_status_updates"))


def _sorted(by_status: dict[str, list[str]]) -> dict[str, list[str]]:
    return {status: sorted(tasks) for status, tasks in by_status.items()}


def expected(session: Session) -> Iterator[tuple[Request, Expected | None]]:
    """Each exchange and what Lockstep answers; None if it does not serve the route."""
    polls = Polls(session)
    for exchange in session.exchanges:
        polls.follow(exchange)
        yield exchange, _of_exchange(session, polls, exchange) if route_of(exchange) else None


def _of_exchange(session: Session, polls: Polls, exchange: Request) -> Expected:
    departing = _of_one(session, exchange) or _of_tool_versions(exchange) or polls.expected(exchange)
    return departing or Expected(None, exchange["status"], exchange["response"])


def _of_one(session: Session, exchange: Request) -> Expected | None:
    if session.name == "s18_resume_live_hot" and exchange["n"] in ALL_DONE:
        return Expected("35", 200, ALL_DONE[exchange["n"]])
    return None


def _of_tool_versions(exchange: Request) -> Expected | None:
    """A tool has its first version from the start, and the one that its client posted then is another."""
    if not exchange["route"].endswith("/tool_versions"):
        return None
    [(tool, _)] = SYMBOL.findall(exchange["path"])
    versions = [(f"$FIRST{number_of(tool)}", tool), *exchange["response"]["tool_versions"]]
    return Expected("25", 200, {"tool_versions": versions})
