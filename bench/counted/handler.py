"""A function from its process's start: its first event, three more, and so many again, with a mark after each stretch.

What collecting garbage takes is not counted after the first event, as in raw.py.
"""

import gc
import importlib
import json
import os
import sys
from types import SimpleNamespace

WARMED_UP = 30


def main(event_file: str, times: int) -> None:
    """Serve the event."""
    handler = importlib.import_module("app").lambda_handler
    with open(event_file) as file:  # noqa: PTH123  # pathlib would be one more import in what is counted
        event = json.load(file)
    context = SimpleNamespace(aws_request_id="00000000-0000-0000-0000-000000000000")
    json.dumps(handler(event, context))
    os.getsid(0)
    gc.collect()
    gc.disable()
    for stretch in (WARMED_UP, times):
        for _ in range(stretch):
            json.dumps(handler(event, context))
        os.getsid(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
