"""The process of the embedded DynamoDB. It ends when its standard input closes, even if its parent is killed."""

import os
import sys
import threading
from pathlib import Path

from ministack.app import _pid_file, main


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    Path(_pid_file(int(os.environ["GATEWAY_PORT"]))).unlink(missing_ok=True)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    main()
