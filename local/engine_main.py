"""The process of the embedded DynamoDB: `engine_main.py PORT`, or `engine_main.py PORT FILE TABLE`.

FILE keeps its items, and TABLE is the request that creates their table, as JSON: it is there before anybody is served.
It ends when its standard input closes, even if its parent is killed.
"""

import json
import os
import sys
import threading
from copy import deepcopy
from pathlib import Path
from typing import Any


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main() -> None:
    """Serve on loopback until standard input closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn  # noqa: PLC0415  # imports take a while, in which the parent may end
    from ministack.app import app  # noqa: PLC0415  # as above
    from ministack.services import dynamodb  # noqa: PLC0415  # as above

    port, *kept = sys.argv[1:]
    _stream_statements(dynamodb)
    if kept:
        sys.path.append(str(Path(__file__).resolve().parent.parent))
        from local.kept import keep  # noqa: PLC0415  # as above

        file, table = kept
        keep(dynamodb, Path(file))
        dynamodb._create_table(json.loads(table))  # noqa: SLF001  # it has no other way in but a request
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        loop="asyncio",  # under many connections uvloop lets some wait for seconds
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        lifespan="off",  # it would start what other services of AWS need
        date_header=False,  # the application sends one
        server_header=False,
    )


def _stream_statements(dynamodb: Any) -> None:
    """Put items that a statement updates on the table's stream, as AWS does. The engine leaves these out."""
    update = dynamodb._partiql_update  # noqa: SLF001  # no other place knows the item before and after

    def update_and_tell(table: dict[str, Any], parsed: dict[str, Any], data: dict[str, Any] | None = None) -> Any:
        if not (table.get("StreamSpecification") or {}).get("StreamEnabled"):
            return update(table, parsed, data)
        pk, sk, _, unknown = dynamodb._partiql_key_target(table, parsed)  # noqa: SLF001  # as above
        before = None if unknown else table["items"].get(pk, {}).get(sk)
        reply = update(table, parsed, data)
        after = None if unknown else table["items"].get(pk, {}).get(sk)
        if after is not before:  # an update replaces the item
            images = deepcopy(before), deepcopy(after)
            dynamodb._emit_stream_event(table["TableName"], "MODIFY", *images)  # noqa: SLF001  # as above
        return reply

    dynamodb._partiql_update = update_and_tell  # noqa: SLF001  # as above


if __name__ == "__main__":
    main()
