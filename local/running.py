"""Give a program access to the table of a system that runs on this machine."""

import json
import os

from local.engine import ENDPOINT_VARIABLE, use_embedded, use_named
from local.run import state_file
from lockstep.dynamodb.item import Item


class NotRunningError(Exception):
    """No system runs on the port; the message says what to do in one line."""


def use_running(port: int) -> None:
    """Direct this process's client to AWS_ENDPOINT_URL_DYNAMODB if it is set, or else to the system on a port.

    Raises:
        NotRunningError: no system runs on the port.
    """
    named = os.environ.get(ENDPOINT_VARIABLE)
    if named:
        use_named(named)
        return
    try:
        state = json.loads(state_file(port).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotRunningError(f"nothing runs on port {port}: start it with `make run PORT={port}`") from error
    os.environ["AWS_DEFAULT_REGION"] = state["region"]
    use = use_embedded if state["embedded"] else use_named
    use(state["table"])
    Item.Meta.table_name = state["table_name"]
