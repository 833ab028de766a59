"""What each function asks of DynamoDB when it serves an event, and what the embedded engine answers."""

import threading
from typing import Any

from bench.stub import Call
from local.gateway import Context, load_handler
from local.seed import Seed, load
from lockstep.table import connection
from tests.replay.cases import SEED, Event


class Recorder:
    """Listens to the client that all functions share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        events = connection().client.meta.events
        events.register("provide-client-params.dynamodb.*", _remember)
        events.register("after-call.dynamodb.*", self._record)

    def serve(self, name: str, event: Event) -> tuple[int, list[Call]]:
        """The status of a function's reply on the table that events/seed.json describes, and the calls that it took."""
        load(Seed.model_validate_json(SEED.read_bytes()))
        self._calls.clear()
        reply = load_handler(name)(event, Context("00000000-0000-0000-0000-000000000000", name))
        return reply["statusCode"], list(self._calls)

    def _record(self, http_response: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        with self._lock:
            self._calls.append(
                Call("dynamodb", model.name, context["params"], http_response.status_code, http_response.text)
            )


def _remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["params"] = params
