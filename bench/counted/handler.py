"""Serve a function's first event, then events that warm it up, then events to count, with a mark after each stretch.

Garbage collection is off after the first event, as in raw.py.
"""

import gc
import importlib
import json
import os
import sys
from types import SimpleNamespace
from typing import Any

WARMED_UP = 30
CONTEXT = SimpleNamespace(aws_request_id="00000000-0000-0000-0000-000000000000")


def main(event_file: str, times: int) -> None:
    """Serve the event in three stretches."""
    handler = importlib.import_module("app").lambda_handler
    with open(event_file, encoding="utf-8") as file:  # noqa: PTH123  # pathlib would be one more import in what is counted
        event = json.load(file)
    json.dumps(answer(handler, event))
    os.getsid(0)
    gc.collect()
    gc.disable()
    for stretch in (WARMED_UP, times):
        for _ in range(stretch):
            json.dumps(answer(handler, event))
        os.getsid(0)


def answer(handler: Any, event: Any) -> Any:
    """Return the reply, which must be a 200; an authorizer's reply has no status."""
    reply = handler(event, CONTEXT)
    if reply.get("statusCode", 200) != 200:  # noqa: PLR2004  # HTTP: well
        raise RuntimeError(reply)
    return reply


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
