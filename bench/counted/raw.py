"""Make a bare botocore client, and then the calls of each group through clients with default settings.

Marks: once the first client is made; and for each group, once its clients are warm and once its calls were made the
given number of times. Garbage collection is off during the calls, because it falls on few of many requests.
"""

import gc
import json
import os
import sys
from base64 import b64decode
from contextlib import suppress
from typing import Any

import botocore.session

WARMED_UP = 30


def main(groups_file: str, times: int) -> None:
    """Make the calls, one after the other."""
    session = botocore.session.get_session()
    session.create_client("dynamodb")
    os.getsid(0)
    with open(groups_file, encoding="utf-8") as file:  # noqa: PTH123  # pathlib would be one more import in what is counted
        groups = json.load(file, object_hook=with_bytes)
    gc.collect()
    gc.disable()
    for group in groups:
        calls = [(session.create_client(call["service"], endpoint_url=group["url"]), call) for call in group["calls"]]
        for stretch in (WARMED_UP, times):
            for _ in range(stretch):
                make(calls)
            os.getsid(0)


def with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """A part of a call as botocore takes it: a binary value was sent as base64."""
    binary = found.get("B") if len(found) == 1 else None
    return {"B": b64decode(binary)} if isinstance(binary, str) else found


def make(calls: list[tuple[Any, dict[str, Any]]]) -> None:
    """Make each call once. A failed condition is an expected reply."""
    for client, call in calls:
        with suppress(client.exceptions.ClientError):
            client._make_api_call(call["operation"], call["params"])  # noqa: SLF001  # the recording has the operation's name


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
