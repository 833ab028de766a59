"""The load generator's process: takes a Load as JSON, carries it out and prints what it Found as JSON."""

import itertools
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final, TypeVar

from bench.load.client import Client
from bench.load.load import Found, Kind, Load, found
from bench.load.reports import CONFLICTING, is_done, log_done, log_report_by, log_running

T = TypeVar("T")

HEARTBEATS: Final = 3
_STACK_BYTES: Final = 256 * 1024
"""Of a thread, of which a herd has a thousand."""
_SECONDS_TO_MEET: Final = 60
"""More than any request takes: should one client fail, the others do not wait for it for ever."""


def generate(load: Load) -> Found:
    """Carry it out, with a thread and a connection for each client."""
    carry_out = {Kind.LIVES: _lives, Kind.LOOKUPS: _lookups, Kind.CONTENTION: _contention, Kind.HERD: _herd}
    clients = [Client(load.url) for _ in range(load.clients)]
    try:
        return carry_out[load.kind](load, clients)
    finally:
        for client in clients:
            client.close()


def _taken_from(waiting: deque[T]) -> Iterator[T]:
    """One after the other, until nothing is left; several clients take from the same."""
    with suppress(IndexError):
        while True:
            yield waiting.popleft()


def _lives(load: Load, clients: Sequence[Client]) -> Found:
    waiting = deque(load.targets)
    done: deque[bool] = deque()

    def work(client: Client) -> None:
        for target in _taken_from(waiting):
            done.append(_live(client, target, HEARTBEATS))

    seconds = _side_by_side(work, clients)
    return found(clients, seconds, done=sum(done))


def _live(client: Client, task_instance_id: int, heartbeats: int) -> bool:
    """Whether it ended DONE. A step that is not answered 200 is not tried again."""
    log_running(client, task_instance_id)
    for _ in range(heartbeats):
        log_report_by(client, task_instance_id)
    return is_done(log_done(client, task_instance_id))


def _lookups(load: Load, clients: Sequence[Client]) -> Found:
    waiting = deque(load.targets)
    ids: set[int] = set()

    def work(client: Client) -> None:
        for array_id, batch_num, step in _taken_from(waiting):
            reply = client.send("GET", f"/get_array_task_instance_id/{array_id}/{batch_num}/{step}")
            if reply.ok:
                ids.add(reply.body["task_instance_id"])

    seconds = _side_by_side(work, clients)
    return found(clients, seconds, done=len(ids))


def _contention(load: Load, clients: Sequence[Client]) -> Found:
    together = threading.Barrier(len(clients), timeout=_SECONDS_TO_MEET)
    told: list[set[str]] = [set() for _ in load.targets]
    reports = dict(zip(clients, itertools.cycle(CONFLICTING), strict=False))

    def work(client: Client) -> None:
        for heard, target in zip(told, load.targets, strict=True):
            together.wait()
            if outcome := reports[client].send(client, target):
                heard.add(outcome)

    seconds = _side_by_side(work, clients)
    return found(clients, seconds, acknowledged=[sorted(each) for each in told])


def _herd(load: Load, clients: Sequence[Client]) -> Found:
    waiting = {
        client: (target, number) for number, (client, target) in enumerate(zip(clients, load.targets, strict=True))
    }
    lock = threading.Lock()
    under_way: set[Client] = set()
    most = 0
    done: deque[bool] = deque()

    def work(client: Client) -> None:
        nonlocal most
        target, number = waiting[client]
        time.sleep(load.spread_seconds * number / len(clients))
        with lock:
            under_way.add(client)
            most = max(most, len(under_way))
        done.append(_live(client, target, heartbeats=1))
        with lock:
            under_way.remove(client)
        client.close()

    seconds = _side_by_side(work, clients)
    return found(clients, seconds, done=sum(done), most_at_once=most)


def _side_by_side(work: Callable[[Client], None], clients: Sequence[Client]) -> float:
    """Seconds from when all began to when the last one ended."""
    began: list[float] = []
    ready = threading.Barrier(len(clients), lambda: began.append(time.perf_counter()), _SECONDS_TO_MEET)

    def wait_and_work(client: Client) -> None:
        ready.wait()
        work(client)

    threading.stack_size(_STACK_BYTES)
    with ThreadPoolExecutor(len(clients)) as threads:
        futures = [threads.submit(wait_and_work, client) for client in clients]
    seconds = time.perf_counter() - began[0]
    if errors := [error for future in futures if isinstance(error := future.exception(), Exception)]:
        raise ExceptionGroup("clients failed", errors)
    return seconds


def main() -> None:
    """From standard input to standard output."""
    order: dict[str, Any] = json.load(sys.stdin)
    json.dump(asdict(generate(Load.from_json(order))), sys.stdout)


if __name__ == "__main__":
    main()
