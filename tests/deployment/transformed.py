"""template.yaml as CloudFormation gets it, after the SAM transform."""

import fcntl
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from local.template import ROOT, Grant, several

_SCRIPT: Final = Path(__file__).with_name("sam_transform.py")
_REFERENCE: Final = re.compile(r"\$\{(\w+)(?:\.Arn)?\}")


def transform(*parameters: Mapping[str, str], template: str | None = None, fresh: bool = False) -> "list[Transformed]":
    """The template for each set of parameter values; other parameters keep their defaults. None: template.yaml.

    What was transformed is kept beside SAM: every test process asks for the same, and so do the copies of the project
    that docs/adding-a-route.md is performed on. The first to ask transforms, the others wait. fresh: nothing kept is
    looked at.
    """
    text = (ROOT / "template.yaml").read_text(encoding="utf-8") if template is None else template
    if fresh:
        return [Transformed(document) for document in _transform(text, parameters)]
    texts = [path.read_text(encoding="utf-8") for path in (_SCRIPT, ROOT / "tests/sam-requirements.txt")]
    digests = [sha256("\0".join([*texts, text, json.dumps(each)]).encode()).hexdigest() for each in parameters]
    kept = [ROOT / ".sam" / f"transformed-{digest}.json" for digest in digests]
    with (ROOT / ".sam/transforming").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = {path: each for path, each in zip(kept, parameters, strict=True) if not path.exists()}
        if missing:
            for path, document in zip(missing, _transform(text, missing.values()), strict=True):
                whole = path.with_suffix(".new")
                whole.write_text(json.dumps(document), encoding="utf-8")
                whole.replace(path)
    return [Transformed(json.loads(path.read_text(encoding="utf-8"))) for path in kept]


def _transform(text: str, parameters: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    command = [str(ROOT / ".sam/bin/python"), "-I", str(_SCRIPT), *map(json.dumps, parameters)]
    ended = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr
    documents: list[dict[str, Any]] = json.loads(ended.stdout)
    return documents


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an IAM policy."""

    effect: str
    actions: list[Any]
    resources: list[Any]

    @property
    def grants(self) -> set[Grant]:
        """What it allows, if it allows."""
        if self.effect != "Allow":
            return set()
        return {Grant(action, name(resource)) for action in self.actions for resource in self.resources}


@dataclass(frozen=True, slots=True)
class Role:
    """What a function may do."""

    logical_id: str
    statements: list[Statement]
    """Of policies whose text stands in the template."""
    foreign: list[Any]
    """Policies whose text does not: AWS wrote them."""
    boundary: list[Statement] | None
    """What it may do at most, whatever its policies say; None where nothing bounds it."""

    @property
    def grants(self) -> set[Grant]:
        """What its own policies allow, within its boundary."""
        allowed = _allowed(self.statements)
        return allowed if self.boundary is None else allowed & _allowed(self.boundary)


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function."""

    logical_id: str
    folder: str
    """The last part of its folder: the route's name."""
    properties: dict[str, Any]
    role: Role


class Transformed:
    """A transformed template."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.resources: dict[str, Any] = document["Resources"]
        self.conditions: dict[str, Any] = document["Conditions"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by logical id."""
        return {key: item.get("Properties", {}) for key, item in self.resources.items() if item["Type"] == kind}

    @property
    def functions(self) -> dict[str, Function]:
        """All functions by folder."""
        functions = (self._function(*item) for item in self.of_type("AWS::Lambda::Function").items())
        return {function.folder: function for function in functions}

    @property
    def api_body(self) -> dict[str, Any]:
        """The API's OpenAPI document, with API Gateway's extensions."""
        [api] = self.of_type("AWS::ApiGateway::RestApi").values()
        body: dict[str, Any] = api["Body"]
        return body

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What the API does by method and path."""
        return {
            (method.upper(), path): operation
            for path, operations in self.api_body["paths"].items()
            for method, operation in operations.items()
        }

    @property
    def security_definitions(self) -> dict[str, Any]:
        """The API's authorizers and keys."""
        definitions: dict[str, Any] = self.api_body.get("securityDefinitions", {})
        return definitions

    @property
    def gateway_responses(self) -> dict[str, dict[str, Any]]:
        """What API Gateway answers in a function's stead, by type."""
        responses: dict[str, dict[str, Any]] = self.api_body.get("x-amazon-apigateway-gateway-responses", {})
        return responses

    @property
    def policies(self) -> Iterator[tuple[str, Statement]]:
        """Every statement of every IAM resource, with the resource's logical id: roles, policies, boundaries."""
        for logical_id, item in self.resources.items():
            if item["Type"].startswith("AWS::IAM::"):
                for document in _policy_documents(item["Properties"]):
                    yield from ((logical_id, statement) for statement in _statements(document))

    def role(self, logical_id: str) -> Role:
        """A role with what it carries."""
        properties = self.of_type("AWS::IAM::Role")[logical_id]
        statements = [
            statement
            for policy in properties.get("Policies", [])
            for statement in _statements(policy["PolicyDocument"])
        ]
        foreign = []
        for attached in properties.get("ManagedPolicyArns", []):
            ours = self._managed_policy(attached)
            statements += ours or []
            foreign += [attached] if ours is None else []
        bounded_by = properties.get("PermissionsBoundary")
        return Role(logical_id, statements, foreign, self._managed_policy(bounded_by) if bounded_by else None)

    def _managed_policy(self, reference: Any) -> list[Statement] | None:
        """The statements of a policy of the template's own; None of any other one."""
        policy = self.of_type("AWS::IAM::ManagedPolicy").get(name(reference))
        return list(_statements(policy["PolicyDocument"])) if policy else None

    def _function(self, logical_id: str, properties: dict[str, Any]) -> Function:
        return Function(
            logical_id,
            properties["Code"]["S3Key"].rpartition("/")[2],
            properties,
            self.role(name(properties["Role"])),
        )


def name(resource: Any) -> str:
    """A resource that is referred to, by its logical id; anything else as it is.

    >>> name({"Fn::Sub": "${Table.Arn}/index/run"}), name({"Fn::GetAtt": ["Table", "Arn"]})
    ('Table/index/run', 'Table')
    """
    match resource:
        case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), "Arn"]}:
            return logical_id
        case {"Fn::Sub": str(text)}:
            return _REFERENCE.sub(r"\1", text)
    return str(resource)


def words(value: Any) -> Iterator[str]:
    """All text in a value, whatever functions of CloudFormation it stands in."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from words(part)
    else:
        yield str(value)


def _policy_documents(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "PolicyDocument" in value:
            yield value["PolicyDocument"]
        for part in value.values():
            yield from _policy_documents(part)
    if isinstance(value, list):
        for part in value:
            yield from _policy_documents(part)


def _statements(document: dict[str, Any]) -> Iterator[Statement]:
    for statement in _whatever_holds(document["Statement"]):
        yield Statement(statement["Effect"], several(statement["Action"]), several(statement["Resource"]))


def _whatever_holds(value: Any) -> Iterator[Any]:
    """All that can stand there: of Fn::If both, of AWS::NoValue nothing."""
    match value:
        case {"Fn::If": [_, *branches]}:
            value = branches
        case {"Ref": "AWS::NoValue"}:
            value = []
    if isinstance(value, list):
        for part in value:
            yield from _whatever_holds(part)
    else:
        yield value


def _allowed(statements: list[Statement]) -> set[Grant]:
    return set().union(*(statement.grants for statement in statements))
