"""The recorded sessions of Jobmon 3.6's programs, and one of them played on Lockstep (README.md)."""

import json
import lzma
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from lockstep.cluster.known import forget
from lockstep.task_instance.item import InstanceKey
from tests.conformance.by_hand import carry_out
from tests.conformance.client import SYMBOL, ClientPlayer, Names, Request
from tests.conformance.files import HERE
from tests.conformance.places import number_of, with_symbols
from tests.support.clusters import load_clusters
from tests.support.memory.virtual_time import START, VirtualTime

OVERLAPS: Final = {
    "s05_fanout_50_two_templates": {780: 776, 789: 790},
    "s07_max_concurrently_running": {115: 116, 203: 204},
    "s09_upstream_failure": {106: 103},
    "s14_error_report": {102: 99},
}
"""Polls that arrived while the server stored a report. Each is played behind the exchange that its reply implies."""


@dataclass(frozen=True)
class Session:
    """A recorded session, with symbols instead of ids."""

    name: str
    start: float
    """The time of the first request by the recorded server's clock, in seconds since 1970."""
    exchanges: list[Request]
    """In the order in which they are played."""

    @cached_property
    def attempts(self) -> dict[str, tuple[str, int]]:
        """The task of each instance, and its number among the task's attempts. Every recorded instance ran."""
        started = (each["response"] for each in self.exchanges if each["route"].endswith("/log_running"))
        task_of = {reply["task_instance"][0]: reply["task_instance"][3] for reply in started}
        numbers: Counter[str] = Counter()
        attempts: dict[str, tuple[str, int]] = {}
        for instance in sorted(task_of, key=number_of):
            numbers[task_of[instance]] += 1
            attempts[instance] = task_of[instance], numbers[task_of[instance]]
        return attempts

    @cached_property
    def strangers(self) -> dict[str, int]:
        """The recorded ids that only requests name, such as that of a workflow that does not exist."""
        asked = _symbols([each["path"], each["query"], each["body"]] for each in self.exchanges)
        answered = _symbols(each["response"] for each in self.exchanges)
        return {symbol: number_of(symbol) for symbol in asked - answered}


def _symbols(values: Iterable[Any]) -> set[str]:
    return {symbol for value in values for symbol, _ in SYMBOL.findall(json.dumps(value))}


def read_sessions() -> list[Session]:
    """All recorded sessions."""
    with lzma.open(HERE / "sessions.jsonl.xz", "rt", encoding="utf-8") as lines:
        exchanges = map(json.loads, lines)
        return [_session(name, list(some)) for name, some in groupby(exchanges, itemgetter("session"))]


def _session(name: str, exchanges: list[dict[str, Any]]) -> Session:
    behind = OVERLAPS.get(name, {})
    exchanges.sort(key=lambda each: (behind.get(each["n"], each["n"]), each["n"] in behind))
    told = (each for each in exchanges if isinstance(each["response"], dict) and "time" in each["response"])
    start = max((seconds(each["response"]["time"]) - each["t"] for each in told), default=START)
    return Session(name, start, list(map(with_symbols, exchanges)))


def seconds(time: str) -> float:
    """A recorded time in seconds since 1970."""
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()


@dataclass
class SessionPlayer:
    """Plays a session on the functions themselves, from an empty table on.

    The clock follows the recorded server's, so that a recorded last_sync is the time that this server told.
    """

    session: Session
    player: ClientPlayer
    clock: VirtualTime
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.player.prepare(None)
        self.names.ids |= self.session.strangers
        forget()
        load_clusters(HERE / "labmem.yaml")

    def differs(self, exchange: Request) -> str | None:
        """Where an exchange's request is answered otherwise than it says."""
        self.clock.passed = max(self.clock.passed, exchange["t"])
        difference = self.player.differs(exchange, self.names)
        self._name_attempts()
        return difference

    def leave_out(self, exchange: Request) -> None:
        """Do what an exchange's request does, which Lockstep does not serve."""
        self.clock.passed = max(self.clock.passed, exchange["t"])
        carry_out(exchange, self.names.ids)

    def _name_attempts(self) -> None:
        """Name the instances of the tasks that have names: lists of new instances do not say whose they are."""
        for instance, (task, number) in self.session.attempts.items():
            if task in self.names.ids:
                self.names.ids[instance] = InstanceKey(self.names.ids[task], number).id
