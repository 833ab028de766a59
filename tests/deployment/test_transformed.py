"""What CloudFormation gets: nothing is allowed by a wildcard, and API Gateway refuses with a problem document."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import pytest

from tests.deployment.transformed import Statement, transform, words

[DEPLOYED] = transform({})
POLICIES: Final = [pytest.param(statement, id=logical_id) for logical_id, statement in DEPLOYED.policies]


def test_there_are_policies() -> None:
    assert len(POLICIES) >= len([function for function in DEPLOYED.functions.values() if function.role.grants])


@pytest.mark.parametrize("statement", POLICIES)
def test_a_policy_names_what_it_allows(statement: Statement) -> None:
    assert statement.actions
    assert statement.resources
    assert not [word for word in words([statement.actions, statement.resources]) if "*" in word]


@pytest.mark.parametrize("function", DEPLOYED.functions.values(), ids=lambda function: function.folder)
def test_what_aws_wrote_is_bounded(function: Any) -> None:
    """Its policies allow on every resource: a role that carries one may do no more than a boundary of ours says."""
    assert not function.role.foreign or function.role.boundary, f"{function.role.foreign} allow by wildcard"


GATEWAY_ANSWERS: Final = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
"""Every type of gateway response there is, with the status that it has where nobody says otherwise. The two defaults
have the status of what falls to them; they stand here with that of their family."""


class Answer(NamedTuple):
    """What a client is answered."""

    status: int
    media_types: set[str]
    body: Any


def answered(kind: str) -> Answer:
    """API Gateway's answer: by the type, or else by its family, which lends its status too."""
    usual = GATEWAY_ANSWERS[kind]
    family = f"DEFAULT_{usual // 100}XX"
    declared = DEPLOYED.gateway_responses.get(kind) or DEPLOYED.gateway_responses.get(family)
    assert declared, f"neither {kind} nor {family} is declared: API Gateway answers in words of its own"
    bodies = declared["responseTemplates"]
    [body] = bodies.values()
    return Answer(
        int(declared.get("statusCode", usual)), {*bodies, *_content_types(declared)}, json.loads(_render(body))
    )


def _content_types(declared: dict[str, Any]) -> Iterator[str]:
    for parameter, value in declared.get("responseParameters", {}).items():
        if parameter.lower() == "gatewayresponse.header.content-type":
            yield value.strip("'")


def _render(body: str) -> str:
    """API Gateway puts messageString in as a JSON string, and everything else as bare text."""
    return re.sub(r"\$context(\.\w+)+", "some text", body.replace("$context.error.messageString", '"some text"'))


@pytest.mark.parametrize("kind", GATEWAY_ANSWERS)
def test_api_gateway_answers_with_a_problem(kind: str) -> None:
    status, media_types, body = answered(kind)
    assert media_types == {"application/json"}
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == status
    assert body["title"] == ("Content Too Large" if status == 413 else HTTPStatus(status).phrase)  # as RFC 9110 has it


@pytest.mark.parametrize("kind", GATEWAY_ANSWERS)
def test_what_passes_is_a_503_and_nothing_else_is(kind: str) -> None:
    """Jobmon's clients give up on every 4xx, 429 included, and send again on 503."""
    usual, status = GATEWAY_ANSWERS[kind], answered(kind).status
    if usual >= HTTPStatus.INTERNAL_SERVER_ERROR or usual == HTTPStatus.TOO_MANY_REQUESTS:
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
    else:
        assert status // 100 == 4


def test_there_is_no_other_type_of_gateway_response() -> None:
    assert DEPLOYED.gateway_responses.keys() <= GATEWAY_ANSWERS.keys()
