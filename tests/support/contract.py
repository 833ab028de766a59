"""What a route promises, and the checks that all routes share.

tests/routes/<aggregate>/contracts.py has the contract of each route, by its name in capital letters, and
tests/routes/test_contracts.py runs the checks that apply to it.
"""

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, NamedTuple

import httpx
from pydantic import BaseModel

from local import gateway
from local.events import SEED, read
from local.meter import Meter
from local.seed import Seed, SeedWorkflow, load
from lockstep.access.scopes import Scope
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item, Key
from lockstep.http.reply import MAX_REPLY_BYTES, as_json, carried
from lockstep.routes import Route, route
from tests.support.guarded import NO_TLS, Guarded
from tests.support.seeding import a_dag, running

NO_SUCH_ID: Final = 9_999_999
NOT_JSON: Final = (b"", b"nonsense", b'{"a": ', b'{"a": "\xff"}', b"{'a': 1}", b"[" * 100_000)
NO_OBJECT: Final = (b"[]", b"null", b"5", b'"text"', b"true", b"[1]")
UNKNOWN_IDS: Final = ("0", "-1", "9223372036854775808", "999999001")
NO_IDS: Final = ("abc", "1.5", "1_000")
OF_THE_SEED: Final = {"tool_id": 5000, "tool_version_id": 5101, "task_template_id": 5200}
"""Ids that exist in events/seed.json, by the name of the path's parameter."""
CHAIN: Final = (Scope.WORKER, Scope.DISTRIBUTOR, Scope.OPERATOR)


class Usage(NamedTuple):
    """What a request takes of DynamoDB."""

    requests: int
    write_units: float
    read_units: float


@dataclass(frozen=True)
class Contract:
    """What a route promises."""

    scope: Scope
    """The least scope that may call it."""
    usage: Usage
    """What its event takes on the table of events/seed.json."""
    reads: str
    """What it reads at most. docs/sizes.md shows it."""
    largest: BaseModel | int
    """The largest reply that the limits of its fields allow. Of a route that measures its reply: the bytes that carry
    what it lets pass.
    """
    body: Mapping[str, Any] | None = None
    """A body that fits. None: the route looks at none."""
    optional: frozenset[str] = frozenset()
    """Fields of that body that may be left out."""
    nullable: frozenset[str] = frozenset()
    """Fields of that body that may be null."""
    ends: bool = False
    """Whether it ends runs and stops instances, although it is a GET: no reader may call it."""
    unknown: int | None = 404
    """How an id in the path that does not exist is answered. None: the path has no ids."""
    makes: tuple[Key, ...] = ()
    """What its event makes or moves once for all. It is removed before the seed is loaded and the event's usage is
    measured, as if it came first.
    """
    query: Mapping[str, str] | None = None
    """Parameters of the query, each of which is required."""
    texts: frozenset[str] = field(default=frozenset())
    """Parameters of the path that are text, which every text fits."""
    name: str = ""
    """The route's: that of the constant which holds the contract."""

    @property
    def route(self) -> Route:
        return route(self.name)

    @property
    def carried(self) -> int:
        """The bytes that its largest reply takes, as a function's reply carries them."""
        return self.largest if isinstance(self.largest, int) else carried(as_json(self.largest))

    def path(self, value: object) -> str:
        """The path below the route's base with a value for each parameter."""
        return re.sub(r"\{\w+\}", str(value), self.route.path)

    def resource(self, value: object) -> str:
        """The whole path with a value for each parameter."""
        return self.route.base + self.path(value)

    def may_be_called_by(self, scope: Scope) -> bool:
        """By the least scope: a reader may call GETs that end nothing, and the chain rises from worker to operator."""
        if scope is Scope.READER:
            return self.route.method == "GET" and not self.ends
        if self.scope is Scope.READER:
            return scope is Scope.OPERATOR
        return CHAIN.index(scope) >= CHAIN.index(self.scope)

    def checks(self) -> list[str]:
        """The checks that apply to the route."""
        return [
            check.__name__
            for check in CHECKS
            if (self.body is not None or check not in OF_BODIES) and (self.unknown is not None or check not in OF_IDS)
        ]


@dataclass(frozen=True)
class System:
    """Where contracts are checked: over HTTP without and with tokens, and in this process, on events/seed.json."""

    api: httpx.Client
    guarded: Guarded
    meter: Meter


def check(what: str, contract: Contract, system: System) -> None:
    """Run one check."""
    next(check for check in CHECKS if check.__name__ == what)(contract, system)


def an_id(contract: Contract) -> int:
    """An id that exists for the route's path. Runs have their arrays' ids here."""
    for name in OF_THE_SEED.keys() & set(contract.route.parameters):
        return OF_THE_SEED[name]
    if "dag_id" in contract.route.parameters:
        return a_dag()
    instance = running()
    if contract.route.aggregate == "workflow":
        load(Seed(workflows=[SeedWorkflow(workflow_id=instance // 1000)]))
    return instance if "task_instance_id" in contract.route.parameters else instance // 1000


def send(contract: Contract, system: System, value: object = None, **given: Any) -> httpx.Response:
    """Send a request to the route. A reply is JSON and never a 5xx."""
    target = contract.path(an_id(contract) if value is None else value)
    reply = system.api.request(contract.route.method, target, params=contract.query, **given)
    assert reply.headers["content-type"] == "application/json"
    assert reply.status_code < 500, reply.text
    return reply


def named_fields(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 422, reply.text
    return [error["field"] for error in reply.json()["errors"]]


def a_missing_field_is_named(contract: Contract, system: System) -> None:
    for name in contract.body or {}:
        reply = send(contract, system, json={key: value for key, value in (contract.body or {}).items() if key != name})
        if name in contract.optional:
            assert reply.status_code == 200
        else:
            assert named_fields(reply) == [name]


def an_ill_typed_field_is_named(contract: Contract, system: System) -> None:
    for name in contract.body or {}:
        wrongs: list[Any] = [[{}], "x" if name in {"tasks", "requested_resources"} else {"a": []}, None]
        for wrong in wrongs:
            reply = send(contract, system, json={**(contract.body or {}), name: wrong})
            if wrong is None and name in contract.nullable:
                assert reply.status_code == 200
            else:
                assert all(found.startswith(name) for found in named_fields(reply))


def a_body_that_is_no_json_is_400(contract: Contract, system: System) -> None:
    for raw in NOT_JSON:
        reply = send(contract, system, content=raw)
        assert reply.status_code == 400, raw[:20]
        assert "JSON" in reply.json()["detail"]


def json_that_is_no_object_is_422(contract: Contract, system: System) -> None:
    for raw in NO_OBJECT:
        assert send(contract, system, content=raw).status_code == 422, raw


def unknown_fields_are_ignored_whatever_their_size(contract: Contract, system: System) -> None:
    body = {**(contract.body or {}), "nobody_knows": "x" * 2_000_000}
    assert send(contract, system, json=body).status_code == 200


def an_unknown_id_is_answered_as_stated(contract: Contract, system: System) -> None:
    for value in UNKNOWN_IDS:
        assert send(contract, system, value, json=contract.body).status_code == contract.unknown, value


def an_id_that_is_no_number_is_named(contract: Contract, system: System) -> None:
    for value in NO_IDS:
        reply = send(contract, system, value, json=contract.body)
        if numbers := set(contract.route.parameters) - contract.texts:
            assert set(named_fields(reply)) == numbers


def each_scope_may_call_it_or_is_refused(contract: Contract, system: System) -> None:
    """Over HTTP, twice with one token: the second time API Gateway applies the policy that it has cached."""
    for scope in Scope:
        token = system.guarded.token(scope)
        with system.guarded.client(token) as client:
            for _ in range(2):
                url = system.guarded.with_token(token) + contract.resource(NO_SUCH_ID)
                reply = client.request(contract.route.method, url, json={})
                assert (reply.status_code != 403) is contract.may_be_called_by(scope), scope
                if reply.status_code == 403:
                    assert reply.json()["detail"] == "the token is not for this route"


def the_function_refuses_what_the_gateway_let_pass(contract: Contract, _: System) -> None:
    """As it would where a resource policy of the API allowed the call."""
    for scope in Scope:
        event = {
            "httpMethod": contract.route.method,
            "path": contract.resource(NO_SUCH_ID),
            "pathParameters": dict.fromkeys(contract.route.parameters, str(NO_SUCH_ID)),
            "requestContext": {"authorizer": {"principalId": "ann", "scope": scope.value}},
            "body": "{}",
        }
        reply = json.loads(gateway.invoke(gateway.load_handler(contract.name), json.dumps(event), contract.name))
        assert (reply["statusCode"] != 403) is contract.may_be_called_by(scope), scope


def without_a_good_token_it_is_401(contract: Contract, system: System) -> None:
    for header in _bad_credentials(system.guarded):
        path = system.guarded.url + contract.resource(NO_SUCH_ID)
        with httpx.Client(headers=header, timeout=30, trust_env=False, verify=NO_TLS) as client:
            reply = client.request(contract.route.method, path, json={})
        assert (reply.status_code, reply.json()["title"]) == (401, "Unauthorized")
        assert reply.headers["WWW-Authenticate"] == "Basic realm=lockstep"


def _bad_credentials(guarded: Guarded) -> Iterator[dict[str, str]]:
    yield {}
    yield {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}
    yield {"Authorization": f"Bearer {guarded.expired(Scope.OPERATOR)}"}
    yield {"Authorization": f"Bearer {guarded.forged(Scope.OPERATOR)}"}


def its_largest_reply_is_carried(contract: Contract, _: System) -> None:
    handler: Any = gateway.load_handler(contract.name)
    replies = handler.__wrapped__.__annotations__["return"]
    assert isinstance(contract.largest, replies | int), f"largest: state a {replies}, or a number of bytes"
    assert contract.carried <= MAX_REPLY_BYTES, "Lambda does not carry it: let the route measure its reply"


def its_event_takes_what_is_stated_of_dynamodb(contract: Contract, system: System) -> None:
    for key in contract.makes:
        connection().delete_item(Item.Meta.table_name, *key)
    load(Seed.model_validate_json(SEED.read_bytes()))
    handler = gateway.load_handler(contract.name)
    before = system.meter.usage()
    reply = json.loads(gateway.invoke(handler, json.dumps(read(contract.name)), contract.name))
    after = system.meter.usage()
    assert reply["statusCode"] == 200, reply["body"]
    names = ("dynamodb_requests", "write_units", "read_units")
    requests, write_units, read_units = (after[name] - before[name] for name in names)
    assert Usage(int(requests), write_units, read_units) == contract.usage, (requests, write_units, read_units)


Check = Callable[[Contract, System], None]
OF_BODIES: Final[tuple[Check, ...]] = (
    a_missing_field_is_named,
    an_ill_typed_field_is_named,
    a_body_that_is_no_json_is_400,
    json_that_is_no_object_is_422,
    unknown_fields_are_ignored_whatever_their_size,
)
OF_IDS: Final[tuple[Check, ...]] = (an_unknown_id_is_answered_as_stated, an_id_that_is_no_number_is_named)
CHECKS: Final[tuple[Check, ...]] = (
    *OF_BODIES,
    *OF_IDS,
    each_scope_may_call_it_or_is_refused,
    the_function_refuses_what_the_gateway_let_pass,
    without_a_good_token_it_is_401,
    its_largest_reply_is_carried,
    its_event_takes_what_is_stated_of_dynamodb,
)


def models(row: Route) -> dict[str, Any]:
    """What a route's function takes: a model for each part of the request, by its name (path, query, body)."""
    handler: Any = importlib.import_module(f"functions.{row.aggregate}.{row.name}.app").lambda_handler
    return {part: model for part, model in handler.__wrapped__.__annotations__.items() if part != "return"}


@cache
def contracts_of(aggregate: str) -> dict[str, Contract]:
    """The contracts of an aggregate's routes, by the routes' names."""
    written = vars(importlib.import_module(f"tests.routes.{aggregate}.contracts"))
    found = {name.lower(): contract for name, contract in written.items() if isinstance(contract, Contract)}
    return {name: replace(contract, name=name) for name, contract in found.items()}


def contract_of(name: str) -> Contract:
    """The contract of a route."""
    return contracts_of(route(name).aggregate)[name]
