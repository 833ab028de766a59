"""A task's command: `work.py DIRECTORY NAME [--seconds S] [--failures N] [--resource-errors N]`.

It fails its first so many runs, by its exit status or by the cluster's word that it took too much memory. It notes
each run in NAME.runs, and in `overlaps` each run that found another one of the same task under way.
"""

import argparse
import fcntl
import json
import os
import sys
import time
import urllib.request
from pathlib import Path


def main() -> int:
    options = _options()
    name = options.directory / options.name
    with (name.with_suffix(".lock")).open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _add_line(options.directory / "overlaps", options.name)
        earlier = _add_line(name.with_suffix(".runs"), os.environ["JOBMON_TASK_INSTANCE_ID"])
        time.sleep(options.seconds)
        if earlier < options.resource_errors:
            _say_that_it_took_too_much(options.api)
            return 137
        print(f"run {earlier + 1} of {options.name}")
        if earlier < options.failures:
            print(f"{options.name} fails", file=sys.stderr)
            return 1
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("name")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--failures", type=int, default=0)
    parser.add_argument("--resource-errors", type=int, default=0)
    parser.add_argument("--api")
    return parser.parse_args()


def _add_line(file: Path, line: str) -> int:
    """How many lines there were before."""
    with file.open("a+", encoding="utf-8") as lines:
        lines.seek(0)
        before = len(lines.readlines())
        lines.write(f"{line}\n")
    return before


def _say_that_it_took_too_much(api: str) -> None:
    """As a cluster's own watch over memory does."""
    url = f"{api}/task_instance/{os.environ['JOBMON_TASK_INSTANCE_ID']}/log_known_error"
    body = json.dumps({"error_state": "Z", "error_message": "out of memory"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  # the test's own
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


if __name__ == "__main__":
    sys.exit(main())
