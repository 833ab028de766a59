"""A task's command: `work.py DIRECTORY NAME [options]`. By default it is done at once.

It notes each run in NAME.runs, its begin and its end in `journal`, and in `overlaps` each run that found another one
of the same task under way.
"""

import argparse
import fcntl
import json
import os
import signal
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
        _add_line(options.directory / "journal", f"begin {options.name}")
        status = _run(options, earlier)
        _add_line(options.directory / "journal", f"end {options.name}")
        return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("name")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long it takes")
    parser.add_argument("--until", type=Path, help="it takes until this file exists")
    parser.add_argument("--together", type=int, default=1, help="it takes until its group of so many tasks has begun")
    parser.add_argument("--kills", type=int, default=0, help="so many first runs kill what started the command")
    parser.add_argument("--resource-errors", type=int, default=0, help="so many first runs take too much memory")
    parser.add_argument("--failures", type=int, default=0, help="so many first runs fail")
    parser.add_argument("--api", help="to say that it took too much memory")
    return parser.parse_args()


def _run(options: argparse.Namespace, earlier: int) -> int:
    time.sleep(options.seconds)
    _wait_for_group(options)
    while options.until and not options.until.exists():
        time.sleep(0.05)
    if earlier < options.kills:
        os.kill(os.getppid(), signal.SIGKILL)
    if earlier < options.resource_errors:
        _say_that_it_took_too_much(options.api)
        return 137
    print(f"run {earlier + 1} of {options.name}")
    if earlier < options.failures:
        print(f"{options.name} fails", file=sys.stderr)
        return 1
    return 0


def _wait_for_group(options: argparse.Namespace) -> None:
    """The first so many that begin are a group, and so on."""

    def begun() -> list[str]:
        lines = (options.directory / "journal").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix("begin ") for line in lines if line.startswith("begin ")]

    group = begun().index(options.name) // options.together + 1
    while len(begun()) < group * options.together:
        time.sleep(0.05)


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
