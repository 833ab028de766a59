"""Count the files, functions and calls of Lockstep that serve one warm event.

    PYTHONPATH=.:shared .venv/bin/python -m bench.frames log_done queue_task_batch sync_status

Each event is sent twice, both times on a newly seeded table: first to warm the function up, then to count.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # read when lockstep is imported

from local.engine import dynamodb
from local.events import SEED, read
from local.gateway import Handler, invoke, load_handler
from local.run import table_name
from local.seed import Seed, load
from local.template import ROOT

OURS: Final = (str(ROOT / "shared"), str(ROOT / "functions"))


class Travel(NamedTuple):
    """The counts for one event."""

    files: int
    functions: int
    calls: int
    depth: int


def travel(handler: Handler, name: str, event: dict[str, Any]) -> Travel:
    """Serve an event and count. Calls in threads that the handler starts are not counted."""
    calls: Counter[tuple[str, str]] = Counter()
    depth, deepest = 0, 0

    def count(frame: FrameType, kind: str, _: object) -> None:
        nonlocal depth, deepest
        code = frame.f_code
        if not code.co_filename.startswith(OURS):
            return
        if kind == "call":
            calls[code.co_filename, code.co_qualname] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif kind == "return":
            depth -= 1

    sys.setprofile(count)
    try:
        invoke(handler, json.dumps(event), name)
    finally:
        sys.setprofile(None)
    return Travel(len({Path(file) for file, _ in calls}), len(calls), sum(calls.values()), deepest)


def main() -> None:
    """Print a line for each event that the command line names."""
    with dynamodb(table_name()):
        seed = Seed.model_validate_json(SEED.read_bytes())
        for name in sys.argv[1:]:
            handler = load_handler(name)
            load(seed)
            invoke(handler, json.dumps(read(name)), name)
            load(seed)
            found = travel(handler, name, read(name))
            counts = f"{found.files} files, {found.functions} functions, {found.calls} calls"
            print(f"{name}: {counts}, {found.depth} frames deep")


if __name__ == "__main__":
    main()
