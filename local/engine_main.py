"""The process of the embedded DynamoDB. It ends when its standard input closes, even if its parent is killed."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path


def _end_with_parent(started: threading.Event, pid_file: Callable[[], str]) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    if started.is_set():
        Path(pid_file()).unlink(missing_ok=True)
    os._exit(0)


def _start() -> None:
    started = threading.Event()
    threading.Thread(target=_end_with_parent, args=(started, _pid_file), daemon=True).start()
    from ministack.app import main  # noqa: PLC0415  # the import takes a while, in which the parent may end

    started.set()
    sys.argv = ["ministack"]
    main()


def _pid_file() -> str:
    from ministack import app  # noqa: PLC0415  # as above

    return str(app._pid_file(int(os.environ["GATEWAY_PORT"])))  # noqa: SLF001  # the engine leaves it when it is ended so


if __name__ == "__main__":
    _start()
