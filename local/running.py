"""The way to the table of a system that runs here, for programs beside it."""

import json
import os

from local.engine import ENDPOINT_VARIABLE, use_embedded, use_named
from local.run import state_file
from lockstep.dynamodb.item import Item


class NotRunningError(Exception):
    """Nothing runs there; the message says what to do in one line."""


def use_running(port: int) -> None:
    """Let this process's client go where AWS_ENDPOINT_URL_DYNAMODB leads, or else to the system on the port.

    Raises:
        NotRunningError: nothing runs on the port.
    """
    named = os.environ.get(ENDPOINT_VARIABLE)
    if named:
        use_named(named)
        return
    try:
        state = json.loads(state_file(port).read_text())
    except FileNotFoundError as error:
        raise NotRunningError(f"nothing runs on port {port}: start it with `make run PORT={port}`") from error
    os.environ["AWS_DEFAULT_REGION"] = state["region"]
    use = use_embedded if state["embedded"] else use_named
    use(state["table"])
    Item.Meta.table_name = state["table_name"]
