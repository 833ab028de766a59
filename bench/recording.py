"""Record each function's calls to AWS for an event, with the embedded engine's replies."""

import threading
from base64 import b64encode
from typing import Any, Final

from bench.stub import Call
from local.events import SEED, Event, read, route_name
from local.gateway import Context, load_handler
from local.meter import Meter
from local.secret import use_new_secret
from local.seed import Seed, load
from lockstep.access import signing_keys
from lockstep.access.scopes import Scope
from lockstep.access.tokens import Grant
from lockstep.dynamodb.client import connection
from ops.token import make

_HOURS: Final = 100_000.0
"""About 28 hours, in seconds."""
AUTHORIZER: Final = "authorizer"


class Recorder:
    """Records the calls of the client that all functions share, on a table with events/seed.json."""

    def __init__(self, endpoint: str, secret: str) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        events = connection().client.meta.events
        events.register("provide-client-params.dynamodb.*", _remember)
        events.register("after-call.dynamodb.*", self._record)
        use_new_secret(endpoint, secret)
        self.secret = secret
        self._meter = Meter()
        self._meter.attach()
        self.taken: dict[str, dict[str, float]] = {}
        """The requests and units of each event, as local.meter counts them."""

    def event(self, name: str) -> Event:
        """Return the event with a name; the authorizer's carries a new token."""
        if name != AUTHORIZER:
            return read(name)
        token = make(Grant("somebody", Scope.WORKER, None), 1, self.secret)
        called = "arn:aws:execute-api:us-east-1:000000000000:abc/v1/GET/api/v3/health"
        return {"type": "TOKEN", "methodArn": called, "authorizationToken": f"Bearer {token}"}

    def serve(self, name: str) -> list[Call]:
        """Serve an event and return its calls. Serve each event once, because it creates objects that then exist."""
        if name == AUTHORIZER:
            return _secret_calls(self.secret)
        load(_lasting())
        self._calls.clear()
        before = self._meter.usage()
        function = route_name(name)
        reply = load_handler(function)(self.event(name), Context("00000000-0000-0000-0000-000000000000", function))
        assert reply["statusCode"] == 200, reply  # noqa: PLR2004  # HTTP: well
        self.taken[name] = {what: count - before[what] for what, count in self._meter.usage().items()}
        return list(self._calls)

    def _record(self, http_response: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        call = Call("dynamodb", model.name, context["asked"], http_response.status_code, http_response.text)
        with self._lock:
            self._calls.append(call)


def _lasting() -> Seed:
    """Return events/seed.json with report deadlines in hours instead of minutes, because counting takes long."""
    seed = Seed.model_validate_json(SEED.read_bytes())
    instances = [
        each.model_copy(update={"report_by_in": _HOURS}) if (each.report_by_in or 0) > 0 else each
        for each in seed.task_instances
    ]
    return seed.model_copy(update={"task_instances": instances})


def _remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["asked"] = _as_json(params)


def _as_json(params: Any) -> Any:
    """A call's parameters as they are sent: bytes are base64."""
    if isinstance(params, dict):
        return {name: _as_json(each) for name, each in params.items()}
    if isinstance(params, list):
        return [_as_json(each) for each in params]
    return b64encode(params).decode() if isinstance(params, bytes) else params


def _secret_calls(secret: str) -> list[Call]:
    """Return the calls that read the current key and the previous one, which gets the current one's reply."""
    answers: list[str] = []
    client = signing_keys.client()
    client.meta.events.register(
        "after-call.secrets-manager.*", lambda http_response, **_: answers.append(http_response.text)
    )
    signing_keys.current(client, secret)
    stages = ("AWSCURRENT", "AWSPREVIOUS")
    return [
        Call("secretsmanager", "GetSecretValue", {"SecretId": secret, "VersionStage": stage}, 200, answers[0])
        for stage in stages
    ]
