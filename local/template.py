"""Read template.yaml, so that the local system uses the same settings as a deployment."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
_REFERENCE: Final = re.compile(r"\$\{(\w+)(?:\.Arn)?\}")


class _Loader(yaml.CSafeLoader):
    """A YAML loader that reads CloudFormation's short forms as {name: argument}."""


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@cache
def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a SafeLoader
    return document


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """The settings of API Gateway's Lambda authorizer."""

    name: str
    """The name of the function's folder."""
    expression: str
    """The pattern that the Authorization header must match."""
    cache_seconds: float


@dataclass(frozen=True, slots=True)
class Function:
    """A function's settings, with those of Globals that it does not override."""

    name: str
    """The name of its folder."""
    folder: Path
    runtime: str
    handler: str
    timeout: int
    """The longest invocation in seconds."""
    memory: int
    """In MiB."""
    logging: Mapping[str, str]
    """LoggingConfig, which Lambda applies to the loggers before it imports the function."""
    variables: Mapping[str, str]
    """Its environment, with parameters replaced by their defaults. Other references stay as the template has them."""


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A reply that API Gateway itself gives."""

    status: int
    body: str
    """A template in which $context.error.messageString stands for the message as a JSON string."""
    headers: dict[str, str]

    def render(self, message: str) -> str:
        """Return the body with a message."""
        quoted = message.replace("\\", "\\\\").replace('"', '\\"')
        return self.body.replace("$context.error.messageString", f'"{quoted}"')


class Grant(NamedTuple):
    """A permission of a function."""

    action: str
    """The action's name in IAM."""
    on: str
    """The resource: its logical id and, if only a part is meant, that part's path (`Table`, `Table/index/run`)."""


class Template:
    """The contents of template.yaml."""

    def __init__(self, path: Path = ROOT / "template.yaml") -> None:
        self._document = _read(path)
        self._resources: dict[str, Any] = self._document["Resources"]

    @cached_property
    def functions(self) -> list[Function]:
        """All functions, including those without a route."""
        return [self._function(resource) for resource in self._of_type("AWS::Serverless::Function")]

    def _function(self, resource: dict[str, Any]) -> Function:
        defaults = self._document["Globals"]["Function"]
        settings = defaults | resource["Properties"]
        variables = [level.get("Environment", {}).get("Variables", {}) for level in (defaults, resource["Properties"])]
        folder = _folder(resource)
        return Function(
            name=folder.name,
            folder=folder,
            runtime=settings["Runtime"],
            handler=settings["Handler"],
            timeout=settings["Timeout"],
            memory=settings["MemorySize"],
            logging=settings.get("LoggingConfig", {}),
            variables={name: self._value(value) for level in variables for name, value in level.items()},
        )

    def _value(self, declared: Any) -> str:
        if not isinstance(declared, dict):
            return str(declared)
        [argument] = declared.values()
        parameter = self._document["Parameters"].get(argument, {}) if "Ref" in declared else {}
        return str(parameter.get("Default", argument))

    @property
    def stage(self) -> str:
        """The default name of the stage."""
        return self._default("StageName")

    @property
    def authorizer(self) -> AuthorizerSettings:
        """The settings of the authorizer, which API Gateway calls unless AuthMode is iam."""
        [api] = self._of_type("AWS::Serverless::Api")
        _, by_token, _ = api["Properties"]["DefinitionBody"]["securityDefinitions"]["Caller"]["If"]
        expression = by_token["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
        folder = _folder(self._resources["Authorizer"])
        return AuthorizerSettings(folder.name, expression, float(self._default("AuthorizerCacheSeconds")))

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The template's parameters by name."""
        return dict(self._document["Parameters"])

    def _default(self, parameter: str) -> str:
        return str(self.parameters[parameter]["Default"])

    @property
    def handler(self) -> str:
        """The module and name of every function's handler."""
        return str(self._document["Globals"]["Function"]["Handler"])

    @cached_property
    def grants(self) -> dict[str, frozenset[Grant]]:
        """The permissions of each function, by the name of its folder."""
        return {
            _folder(function).name: frozenset(_grants(function["Properties"].get("Policies", [])))
            for function in self._of_type("AWS::Serverless::Function")
        }

    def gateway_response(self, kind: str) -> GatewayResponse | None:
        """Return the reply that the template declares for a kind of gateway response; None if it declares none."""
        [api] = self._of_type("AWS::Serverless::Api")
        declared = api["Properties"]["GatewayResponses"].get(kind)
        if declared is None:
            return None
        headers = declared["ResponseParameters"]["Headers"]
        return GatewayResponse(
            declared["StatusCode"],
            declared["ResponseTemplates"]["application/json"],
            {name.lower(): value.strip("'") for name, value in headers.items()},
        )

    @property
    def filters(self) -> list[str]:
        """The patterns of the pipe that tells of changes: a record passes if one of them matches."""
        [pipe] = self._of_type("AWS::Pipes::Pipe")
        criteria = pipe["Properties"]["SourceParameters"]["FilterCriteria"]
        return [str(each["Pattern"]) for each in criteria["Filters"]]

    @property
    def widgets(self) -> list[dict[str, Any]]:
        """The properties of the dashboard's widgets, from left to right and from top to bottom."""
        [board] = self._of_type("AWS::CloudWatch::Dashboard")
        body = json.loads(board["Properties"]["DashboardBody"]["Sub"])
        placed = sorted(body["widgets"], key=lambda widget: (widget["y"], widget["x"]))
        return [widget["properties"] for widget in placed]

    def table(self, name: str) -> dict[str, Any]:
        """Return the arguments of CreateTable: keys, indexes and billing, without a deployment's options."""
        [table] = self._of_type("AWS::DynamoDB::Table")
        indexes = [
            _only({"IndexName", "KeySchema", "Projection"}, index)
            for index in table["Properties"]["GlobalSecondaryIndexes"]
        ]
        named = {"TableName": name, "GlobalSecondaryIndexes": indexes}
        return named | _only({"BillingMode", "KeySchema", "AttributeDefinitions"}, table["Properties"])

    def _of_type(self, kind: str) -> list[dict[str, Any]]:
        return [resource for resource in self._resources.values() if resource["Type"] == kind]


def _only(wanted: set[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key in wanted}


def _grants(policies: list[dict[str, Any]]) -> Iterator[Grant]:
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        for action in several(statement["Action"]):
            for resource in several(statement["Resource"]):
                yield Grant(action, _name(resource))


def several(value: Any) -> list[Any]:
    """Return a value as a list, because IAM accepts a single value for a list of one."""
    return value if isinstance(value, list) else [value]


def _name(resource: dict[str, str]) -> str:
    """Return the resource that a short form refers to: {"Sub": "${Table.Arn}/index/run"} is Table/index/run."""
    [(form, argument)] = resource.items()
    return _REFERENCE.sub(r"\1", argument) if form == "Sub" else argument.removesuffix(".Arn")


def _folder(function: dict[str, Any]) -> Path:
    return ROOT / str(function["Properties"]["CodeUri"])
