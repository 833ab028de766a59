"""The embedded DynamoDB's process. It ends when its standard input does, however its parent died."""

import os
import sys
import threading

from ministack.app import main


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    main()
