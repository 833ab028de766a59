"""The process of the embedded DynamoDB. It ends when its standard input closes, even if its parent is killed."""

import os
import sys
import threading
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any


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

    _stream_statements()
    started.set()
    sys.argv = ["ministack"]
    main()


def _stream_statements() -> None:
    """Put items that a statement updates on the table's stream, as AWS does. The engine leaves these out."""
    from ministack.services import dynamodb  # noqa: PLC0415  # as above

    update = dynamodb._partiql_update  # noqa: SLF001  # no other place knows the item before and after

    def update_and_tell(table: dict[str, Any], parsed: dict[str, Any], data: dict[str, Any] | None = None) -> Any:
        pk, sk, _, unknown = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001  # as above
        before = None if unknown else table["items"].get(pk, {}).get(sk)
        reply = update(table, parsed, data)
        after = None if unknown else table["items"].get(pk, {}).get(sk)
        if after is not before:  # an update replaces the item
            images = deepcopy(before), deepcopy(after)
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", *images)  # noqa: SLF001  # as above
        return reply

    dynamodb._partiql_update = update_and_tell  # noqa: SLF001  # as above


def _pid_file() -> str:
    from ministack import app  # noqa: PLC0415  # as above

    return str(app._pid_file(int(os.environ["GATEWAY_PORT"])))  # noqa: SLF001  # the engine leaves it when it is ended so


if __name__ == "__main__":
    _start()
