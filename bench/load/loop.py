"""The process of a loop of botocore calls: takes clients and the calls of lives as JSON, prints the seconds."""

import json
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from local.engine import client

Life = list[tuple[str, dict[str, Any]]]
"""A life's calls in their order: the client's method and its arguments."""


def run(endpoint: str, clients: int, lives: list[Life]) -> float:
    """Let each client, a thread with a connection, make one life's calls after the other. Returns the seconds."""
    waiting, began = deque(lives), list[float]()
    ready = threading.Barrier(clients, lambda: began.append(time.perf_counter()))

    def work(_: int) -> None:
        dynamodb = client(endpoint)
        ready.wait()
        with suppress(IndexError):
            while True:
                for method, arguments in waiting.popleft():
                    getattr(dynamodb, method)(**arguments)

    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(work, range(clients)))
    return time.perf_counter() - began[0]


def main() -> None:
    """Go from standard input to standard output."""
    json.dump(run(**json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
