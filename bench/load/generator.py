"""The load generator's process: takes a Load as JSON, carries it out and prints what it Found as JSON."""

import itertools
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final, TypeVar

from bench.load.load import Found, Kind, Load, found
from bench.load.reports import CONFLICTING, DONE, INCREMENT
from local import engine
from sim import requests
from sim.client import Client, Reply

T = TypeVar("T")

HEARTBEATS: Final = 3
_STACK_BYTES: Final = 256 * 1024
"""Of a thread, of which a herd has a thousand."""
_SECONDS_TO_MEET: Final = 60
"""More than any request takes: should one client fail, the others do not wait for it for ever."""


class Generator:
    """Carries out a load, with a thread and a connection for each client."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._replies: list[Reply] = []
        self._clients = [Client(load.url, self._replies.append) for _ in range(load.clients)]

    def run(self) -> Found:
        """Carry it out."""
        kinds = {
            Kind.LIVES: self._lives,
            Kind.LOOKUPS: self._lookups,
            Kind.CONTENTION: self._contention,
            Kind.HERD: self._herd,
            Kind.CALLS: self._calls,
        }
        try:
            return kinds[self._load.kind]()
        finally:
            for client in self._clients:
                client.close()

    def _lives(self) -> Found:
        seconds, done = self._each(lambda client, target: _live(client, target, HEARTBEATS))
        return found(self._replies, seconds, done=sum(done))

    def _lookups(self) -> Found:
        seconds, replies = self._each(lambda client, place: client.send(requests.find_instance(*place)))
        ids = {reply.body["task_instance_id"] for reply in replies if reply.ok}
        return found(self._replies, seconds, done=len(ids))

    def _calls(self) -> Found:
        by_client = {client: engine.client(self._load.url) for client in self._clients}

        def make(client: Client, life: list[tuple[str, dict[str, Any]]]) -> None:
            for method, arguments in life:
                getattr(by_client[client], method)(**arguments)

        seconds, _ = self._each(make)
        return found([], seconds)

    def _each(self, work: Callable[[Client, Any], T]) -> tuple[float, list[T]]:
        """Let each client take one target after the other, until none is left."""
        waiting, results = deque(self._load.targets), list[T]()

        def work_on(client: Client, _: int) -> None:
            with suppress(IndexError):
                while True:
                    results.append(work(client, waiting.popleft()))

        return self._side_by_side(work_on), results

    def _contention(self) -> Found:
        together = threading.Barrier(len(self._clients), timeout=_SECONDS_TO_MEET)
        told: list[set[str]] = [set() for _ in self._load.targets]
        reports = list(itertools.islice(itertools.cycle(CONFLICTING), len(self._clients)))

        def work(client: Client, number: int) -> None:
            for heard, target in zip(told, self._load.targets, strict=True):
                together.wait()
                if outcome := reports[number].send(client, target):
                    heard.add(outcome)

        seconds = self._side_by_side(work)
        return found(self._replies, seconds, acknowledged=[sorted(each) for each in told])

    def _herd(self) -> Found:
        lock = threading.Lock()
        under_way = most = done = 0

        def work(client: Client, number: int) -> None:
            nonlocal under_way, most, done
            time.sleep(self._load.spread_seconds * number / len(self._clients))
            with lock:
                under_way += 1
                most = max(most, under_way)
            is_done = _live(client, self._load.targets[number], heartbeats=1)
            with lock:
                under_way -= 1
                done += is_done
            client.close()

        seconds = self._side_by_side(work)
        return found(self._replies, seconds, done=done, most_at_once=most)

    def _side_by_side(self, work: Callable[[Client, int], None]) -> float:
        """Let each client work. Returns the seconds from when all began to when the last one ended."""
        began: list[float] = []
        ready = threading.Barrier(len(self._clients), lambda: began.append(time.perf_counter()), _SECONDS_TO_MEET)

        def wait_and_work(client: Client, number: int) -> None:
            ready.wait()
            work(client, number)

        threading.stack_size(_STACK_BYTES)
        with ThreadPoolExecutor(len(self._clients)) as threads:
            futures = [threads.submit(wait_and_work, client, number) for number, client in enumerate(self._clients)]
        seconds = time.perf_counter() - began[0]
        if errors := [error for future in futures if isinstance(error := future.exception(), Exception)]:
            raise ExceptionGroup("clients failed", errors)
        return seconds


def _live(client: Client, instance_id: int, heartbeats: int) -> bool:
    """Return whether it ended DONE. A step that is not answered 200 is not tried again."""
    replies = [client.send(request) for request in requests.live(instance_id, heartbeats, INCREMENT)]
    return bool(replies[-1].ok and replies[-1].body["status"] == DONE)


def main() -> None:
    """Go from standard input to standard output."""
    order: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(Generator(Load(**order)).run()), sys.stdout)


if __name__ == "__main__":
    main()
