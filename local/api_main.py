"""The process of the API. It prints its URL first. It ends when its standard input closes, however its parent ends."""

import argparse
import os
import sys
import threading

from local.workers import usual


def main() -> None:
    """Serve until standard input closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--auth", action="store_true")
    options.add_argument("--port", type=int, default=0, help="0 means any free port")
    options.add_argument("--workers", type=int, default=usual())
    given = options.parse_args()
    from local.run import serve  # noqa: PLC0415  # the import takes a while, in which the parent may end

    parent = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the parent reads one line: a full pipe would block the log

    def say_where(api: str, _: str, __: str | None) -> None:
        os.write(parent, f"{api}\n".encode())
        os.close(parent)

    serve(given.port, say_where, authenticates=given.auth, workers=given.workers)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
