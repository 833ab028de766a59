"""template.yaml against routes.py: as it is, and with made-up routes added until 90 are there.

A stack takes 500 resources. With 90 routes, all of them deployed gradually where they may be, it has 466; about 96
routes fit. Beyond that the functions go into nested stacks (docs/decisions/0025-invoke-roles.md).
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import pytest

from local.template import ROOT
from lockstep.access.scopes import Scope
from lockstep.clock import BULK_BUDGET_SECONDS
from lockstep.routes import ROUTES, Route
from tests.deployment import made_up
from tests.deployment.made_up import function_of, role_of
from tests.deployment.transformed import Transformed, name, transform, words

MOST_RESOURCES: Final = 500
"""CloudFormation takes no more in a stack."""
LONGEST_POLICY: Final = 10_240
"""Characters of all inline policies of a role, without white space."""
LONGEST_ALIAS: Final = f"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:{'n' * 64}:live"
AUTHORIZER: Final = "Authorizer"
WITHOUT_ROUTE: Final = {AUTHORIZER: "functions/api/authorizer", "TellChanges": "functions/changes/tell_changes"}
URI: Final = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
GRADUAL: Final = {"Deployment": "Canary10Percent5Minutes"}


class Deployed(NamedTuple):
    """A template and the routes that it must have."""

    at_once: Transformed
    gradual: Transformed
    routes: Sequence[Route]


@cache
def now() -> Deployed:
    return _deployed(None, ROUTES)


@cache
def with_more() -> Deployed:
    return _deployed(made_up.template(), (*ROUTES, *made_up.ROUTES))


def _deployed(template: str | None, routes: Sequence[Route]) -> Deployed:
    at_once, gradual = transform({}, GRADUAL, template=template)
    return Deployed(at_once, gradual, routes)


@pytest.fixture(params=[now, with_more], ids=["today", "with 90 routes"])
def deployed(request: pytest.FixtureRequest) -> Deployed:
    case: Deployed = request.param()
    return case


def test_a_function_is_called_by_its_rows_name_and_has_its_rows_folder(deployed: Deployed) -> None:
    functions = {
        logical_id: properties["Code"]["S3Key"]
        for logical_id, properties in deployed.at_once.of_type("AWS::Lambda::Function").items()
    }
    rows = {function_of(route): f"functions/{route.folder}" for route in deployed.routes}
    assert functions.keys() >= rows.keys(), "a route's function is missing: add it to template.yaml"
    assert functions == rows | WITHOUT_ROUTE


def test_the_api_has_a_path_for_each_row_and_no_other(deployed: Deployed) -> None:
    rows = {(route.method, route.resource): route.name for route in deployed.routes}
    without = {name for call, name in rows.items() if call not in deployed.at_once.operations}
    assert without == set(), "a route's path is missing: add it to the API's paths in template.yaml"
    assert deployed.at_once.operations.keys() == rows.keys(), "a path's route is missing: it has no row in routes.py"


def test_a_path_calls_the_alias_of_its_rows_function_through_the_role_of_its_scope(deployed: Deployed) -> None:
    for route in deployed.routes:
        operation = deployed.at_once.operations[route.method, route.resource]
        assert operation["x-amazon-apigateway-integration"] == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "credentials": {"Fn::GetAtt": [role_of(route.scope), "Arn"]},
            "uri": {"Fn::Sub": [URI, {"Function": {"Ref": f"{function_of(route)}Aliaslive"}}]},
        }, route.name


def test_every_path_asks_who_calls(deployed: Deployed) -> None:
    for call, operation in deployed.at_once.operations.items():
        assert operation["security"] == [{"Caller": []}], call
    assert "security" not in deployed.at_once.api_body


def test_bulk_rows_have_time_and_processor(deployed: Deployed) -> None:
    functions = deployed.at_once.of_type("AWS::Lambda::Function")
    for route in deployed.routes:
        given = functions[function_of(route)]
        bulk = route.budget == BULK_BUDGET_SECONDS
        assert (given["Timeout"], given["MemorySize"]) == ((19, 1769) if bulk else (15, 512)), route.name


@pytest.mark.parametrize("scope", Scope)
def test_an_invoke_role_calls_the_functions_of_its_scope_and_no_other(deployed: Deployed, scope: Scope) -> None:
    role = deployed.at_once.role(role_of(scope))
    assert (role.foreign, role.boundary) == ([], None)
    [statement] = role.statements
    assert (statement.effect, statement.actions) == ("Allow", ["lambda:InvokeFunction"])
    called = [f"{function_of(route)}Aliaslive" for route in deployed.routes if route.scope is scope]
    named = set(map(name, statement.resources))
    assert set(called) - named == set(), f"missing in template.yaml: aliases in {role_of(scope)}"
    assert sorted(map(name, statement.resources)) == sorted(called)


@pytest.mark.parametrize("scope", Scope)
def test_only_api_gateway_may_take_an_invoke_role(scope: Scope) -> None:
    trust = now().at_once.of_type("AWS::IAM::Role")[role_of(scope)]["AssumeRolePolicyDocument"]
    principal = {"Service": "apigateway.amazonaws.com"}
    assert trust["Statement"] == [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]


@pytest.mark.parametrize("scope", Scope)
def test_an_invoke_roles_policy_is_not_too_long(deployed: Deployed, scope: Scope) -> None:
    [policy] = deployed.at_once.of_type("AWS::IAM::Role")[role_of(scope)]["Policies"]
    document: dict[str, Any] = policy["PolicyDocument"]
    [statement] = document["Statement"]
    longest = [LONGEST_ALIAS for _ in statement["Resource"]]
    text = json.dumps(document | {"Statement": [statement | {"Resource": longest}]}, separators=(",", ":"))
    assert len(text) < LONGEST_POLICY


def test_only_the_authorizer_needs_a_permission(deployed: Deployed) -> None:
    assert list(deployed.at_once.of_type("AWS::Lambda::Permission")) == ["AuthorizerPermission"]


def test_functions_that_people_read_by_change_at_once(deployed: Deployed) -> None:
    groups = deployed.gradual.of_type("AWS::CodeDeploy::DeploymentGroup")
    gradual = [function_of(route) for route in deployed.routes if route.scope is not Scope.READER]
    assert sorted(groups) == sorted(f"{function}DeploymentGroup" for function in (*gradual, AUTHORIZER))
    assert not deployed.at_once.of_type("AWS::CodeDeploy::DeploymentGroup")


def test_the_template_has_room_for_90_routes() -> None:
    functions = with_more().gradual.of_type("AWS::Lambda::Function")
    assert len(functions) == 90 + len(WITHOUT_ROUTE)
    assert len(with_more().at_once.resources) < len(with_more().gradual.resources) < MOST_RESOURCES


def test_a_route_more_is_four_resources_and_one_for_its_gradual_deployment() -> None:
    """Function, version, alias and role; a deployment group unless its scope is reader."""
    by_deployment = [(len(with_more().at_once.resources), len(now().at_once.resources))]
    by_deployment += [(len(with_more().gradual.resources), len(now().gradual.resources))]
    at_once, gradual = (more - now for more, now in by_deployment)
    readers = sum(route.scope is Scope.READER for route in made_up.ROUTES)
    assert (at_once, gradual) == (4 * made_up.MORE, 5 * made_up.MORE - readers)


def test_no_event_of_sams_leads_to_a_function() -> None:
    """Each would bring a permission, and a path that this module does not look at."""
    assert " Events:" not in (ROOT / "template.yaml").read_text(encoding="utf-8")


def test_no_policy_is_for_all_functions_whose_names_begin_alike() -> None:
    """`function:lockstep-*` would match the functions of a stack named lockstep-prod too."""
    said = [word for _, statement in now().at_once.policies for word in words(statement.resources)]
    assert not [word for word in said if ":function:" in word]
