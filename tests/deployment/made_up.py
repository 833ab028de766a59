"""Add made-up routes to template.yaml, as docs/adding-a-route.md says, until it has 90: to find out what still fits."""

from typing import Final

from local.template import ROOT
from lockstep.access.scopes import Scope
from lockstep.clock import BUDGET_SECONDS
from lockstep.routes import ROUTES as ROUTES_NOW
from lockstep.routes import Route

MORE: Final = 90 - len(ROUTES_NOW)
_BEFORE_PATHS: Final = "      # Jobmon's clients give up on every 4xx"
_BEFORE_FUNCTIONS: Final = "  # What to do when one of them rings"
_PATH: Final = """\
          {resource}:
            {method}:
              security: *caller
              responses: {{}}
              x-amazon-apigateway-integration:
                type: aws_proxy
                httpMethod: POST
                credentials: !GetAtt {role}.Arn
                uri: !Sub [*call, {{Function: !Ref {function}.Alias}}]
"""
_FUNCTION: Final = """\
  {function}:
    Type: AWS::Serverless::Function
    Metadata: {{SkipBuild: true}}
    Properties:
      CodeUri: functions/{folder}/
      VersionDescription: *settings
{gradual}      Policies:
        - Statement:
            - Effect: Allow
              Action: [dynamodb:GetItem]
              Resource: !GetAtt Table.Arn

"""
_AT_ONCE: Final = "      DeploymentPreference: {Enabled: false}\n"


def function_of(route: Route) -> str:
    """The logical id of a route's function: the route's name in PascalCase.

    >>> function_of(ROUTES[0])
    'FindWorkflowTool00'
    """
    return "".join(word.capitalize() for word in route.name.split("_"))


def role_of(scope: Scope) -> str:
    """The logical id of a scope's invoke role.

    >>> role_of(Scope.READER)
    'ReaderInvokeRole'
    """
    return f"{scope.capitalize()}InvokeRole"


def _route(number: int) -> Route:
    scope = list(Scope)[number % len(Scope)]
    name = f"find_workflow_tool_{number:02}"
    return Route("workflow", name, "POST", f"/workflow/{name}", scope, "Find a tool.", BUDGET_SECONDS)


ROUTES: Final = tuple(_route(number) for number in range(MORE))
"""The made-up routes, evenly spread over the scopes."""


def template() -> str:
    """The text of the template with ROUTES added."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    text = _insert(text, "".join(map(_path, ROUTES)), _BEFORE_PATHS)
    text = _insert(text, "".join(map(_function, ROUTES)), _BEFORE_FUNCTIONS)
    for scope in Scope:
        head, role, rest = text.partition(f"  {role_of(scope)}:\n")
        policy, allows, functions = rest.partition("                Resource:\n")
        assert role, scope
        assert allows, scope
        added = (f"                  - !Ref {function_of(route)}.Alias\n" for route in ROUTES if route.scope is scope)
        text = "".join((head, role, policy, allows, *added, functions))
    return text


def _insert(text: str, added: str, before: str) -> str:
    assert text.count(before) == 1, before
    return text.replace(before, added + before)


def _path(route: Route) -> str:
    return _PATH.format(
        resource=route.resource, method=route.method.lower(), role=role_of(route.scope), function=function_of(route)
    )


def _function(route: Route) -> str:
    gradual = _AT_ONCE if route.scope is Scope.READER else ""
    return _FUNCTION.format(function=function_of(route), folder=route.folder, gradual=gradual)
