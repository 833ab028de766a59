"""Whatever event API Gateway may make of a request, no function answers it with a 5xx."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.events import reply_body
from local.gateway import invoke, load_handler
from local.seed import Seed, load
from lockstep.access.scopes import Scope
from lockstep.routes import ROUTES as ALL_ROUTES
from lockstep.routes import Route
from tests.support import described
from tests.support.clients import on_moto
from tests.support.contract import contract_of
from tests.support.memory.boundary import in_memory
from tests.verification.fuzz.system import STEPS, instance_id, states, task_id

ROUTES: Final = [pytest.param(route, id=route.name) for route in ALL_ROUTES]
EXAMPLES: Final = 25
"""Of each route."""
ANY_TEXT: Final = st.text(st.characters(codec=None), max_size=30)
FEW: Final = range(0, len(STEPS), 11)
REAL: Final = st.sampled_from(FEW)
NUMBERS: Final = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**37, 10**38, 10**400]),
    st.sampled_from([0.1, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf")]),
    st.floats(),
    REAL.map(lambda step: instance_id(1, step)),
    REAL.map(lambda step: task_id(1, step)),
)
LEAVES: Final = st.one_of(
    st.none(), st.booleans(), NUMBERS, NUMBERS.map(str), ANY_TEXT, st.sampled_from("GQIORDEAFTXKUZWB")
)
JSON: Final = st.recursive(
    LEAVES,
    lambda inside: st.one_of(st.lists(inside, max_size=12), st.dictionaries(ANY_TEXT, inside, max_size=5)),
    max_leaves=15,
)
ROW: Final = st.lists(LEAVES, min_size=6, max_size=11) | st.tuples(
    st.integers(1), ANY_TEXT, st.just(1), st.integers(1, 3), ANY_TEXT, ANY_TEXT, st.integers(0, 9)
)


@pytest.fixture(scope="module", autouse=True)
def mocked() -> Iterator[None]:
    """A second DynamoDB, whose idea of a bad request is another one than the embedded engine's."""
    with on_moto():
        load(Seed.model_validate(states(1, FEW)))
        yield


NOT_MOTOS: Final = {"set_resume_state"}
"""The routes whose statements Moto's parser cannot read: they set attributes and remove others."""


@contextmanager
def _table_for(route: Route) -> Iterator[None]:
    if route.name not in NOT_MOTOS:
        yield
        return
    with in_memory():
        load(Seed.model_validate(states(1, FEW)))
        yield


def _bodies(name: str) -> st.SearchStrategy[Any]:
    """JSON, mostly such that some of it fits."""
    fits = contract_of(name).body
    if fits is None:
        return JSON
    fields: dict[str, st.SearchStrategy[Any]] = {
        field: st.one_of(st.just(value), st.just(value), JSON) for field, value in fits.items()
    }
    if "tasks" in fits:
        fields["tasks"] = st.dictionaries(ANY_TEXT, ROW, max_size=3)
    for field in fields.keys() & {"task_instance_ids", "task_ids"}:
        fields[field] = st.lists(NUMBERS, max_size=8)
    if "requested_resources" in fits:
        fields["requested_resources"] = st.dictionaries(
            ANY_TEXT | st.sampled_from(["stdout", "stderr"]), JSON, max_size=4
        )
    more = {
        field: JSON
        for field in ("distributor_id", "nodename", "stdout", "stderr", "stdout_log", "user")
        if field not in fits
    }
    return st.one_of(st.fixed_dictionaries(fields, optional=more), JSON)


def _sent(name: str) -> st.SearchStrategy[tuple[str | None, bool]]:
    """A body as an event holds it, and whether it is in base64."""
    text = _bodies(name).map(json.dumps)
    codes = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
    raw = st.binary() | st.tuples(text, codes).map(lambda drawn: drawn[0].encode(drawn[1]))
    return st.one_of(
        text.map(lambda text: (text, False)),
        text.map(lambda text: (text, False)),
        (ANY_TEXT | st.none()).map(lambda text: (text, False)),
        raw.map(lambda raw: (base64.b64encode(raw).decode(), True)),
    )


IN_PATH: Final = st.one_of(
    st.sampled_from(["1", "1", str(task_id(1, 0))]),
    REAL.map(lambda step: str(instance_id(1, step))),
    st.integers().map(str),
    ANY_TEXT.filter(bool),
)
HEADERS: Final = st.none() | st.dictionaries(
    st.sampled_from(["X-Server-Structlog-Context", "x-server-structlog-context", "Content-Type"]),
    st.one_of(ANY_TEXT, JSON.map(json.dumps)),
    max_size=2,
)
CALLERS: Final = st.one_of(
    st.none(),
    st.builds(
        lambda scope, run: {"principalId": "ann", "scope": scope} | ({"workflow_run_id": run} if run else {}),
        st.sampled_from(list(Scope)),
        st.sampled_from([None, "1", "2"]),
    ),
)
CONTEXTS: Final = st.one_of(
    st.none(),
    st.just({}),
    st.fixed_dictionaries(
        {"requestId": ANY_TEXT, "authorizer": CALLERS, "identity": st.none() | st.just({"userArn": None})}
    ),
)


@pytest.mark.parametrize("route", ROUTES)
def test_no_event_is_answered_with_a_5xx(route: Route) -> None:
    handler = load_handler(route.name)

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(_sent(route.name), st.lists(IN_PATH, min_size=3, max_size=3), HEADERS, CONTEXTS)
    def send(sent: tuple[str | None, bool], ids: list[str], headers: dict[str, str] | None, context: Any) -> None:
        event = {
            "resource": route.resource,
            "path": route.resource,
            "httpMethod": route.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()} or None,
            "queryStringParameters": None,
            "pathParameters": dict(zip(route.pattern.groupindex, ids, strict=False)) or None,
            "requestContext": context,
            "body": sent[0],
            "isBase64Encoded": sent[1],
        }
        reply = json.loads(invoke(handler, json.dumps(event), route.name))
        assert reply["statusCode"] < 500, reply["body"]
        described.reply(route.name, reply["statusCode"]).validate(reply_body(reply))

    with _table_for(route):
        send()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.values[0].pattern.groupindex])  # type: ignore[union-attr]  # a route
def test_a_path_without_its_ids_is_said_to_be_so(route: Route) -> None:
    event = {"resource": route.resource, "path": "/", "httpMethod": route.method, "pathParameters": None, "body": "{}"}
    reply = json.loads(invoke(load_handler(route.name), json.dumps(event), route.name))
    assert reply["statusCode"] == 422
    assert {error["field"] for error in json.loads(reply["body"])["errors"]} == set(route.pattern.groupindex)
