"""The tables, commands and links of docs/deploy.md and docs/operations.md, against the template and the code."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import botocore.session
import pytest
from botocore import xform_name
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it says no types

from local.template import ROOT
from lockstep import errors
from lockstep.fsm.transitions import RefusalKind
from tests.support.serving import run_module
from tests.support.tables import named, rows, section

DEPLOY: Final = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
OPERATIONS: Final = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SOURCE: Final = (ROOT / "template.yaml").read_text(encoding="utf-8")
TEMPLATE: Final[dict[str, Any]] = cfn_yaml.load(str(ROOT / "template.yaml"))
SAM: Final = ROOT / ".sam/bin/sam"
NO_ACCOUNT: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
GLOBAL_OPTIONS: Final = frozenset({"query", "output", "region"})
"""Of the AWS command line, with every command."""


def of_type(kind: str) -> set[str]:
    """The logical ids of all resources of a type."""
    return {name for name, resource in TEMPLATE["Resources"].items() if resource["Type"] == kind}


def test_every_parameter_is_told_of_with_its_default() -> None:
    told = {named(name)[0]: "" if default == "empty" else named(default)[0] for name, default, _ in parameters_told()}
    assert told == {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}


def test_parameters_stand_in_the_order_in_which_sam_asks() -> None:
    assert [named(name)[0] for name, *_ in parameters_told()] == list(TEMPLATE["Parameters"])


def parameters_told() -> list[list[str]]:
    return list(rows(section(DEPLOY, "## Parameters")))


def test_every_output_is_told_of() -> None:
    assert {named(row[0])[0] for row in rows(section(DEPLOY, "## Outputs"))} == TEMPLATE["Outputs"].keys()


def test_what_stays_is_what_the_template_retains() -> None:
    retained = {
        name
        for name, resource in TEMPLATE["Resources"].items()
        if resource.get("DeletionPolicy", "Delete").startswith("Retain")
    }
    assert {named(row[0])[0] for row in rows(section(DEPLOY, "## Removing a stack"))} == retained


def test_sam_asks_what_is_told_and_nothing_else() -> None:
    """Without an account it gets as far as the bucket."""
    command = [str(SAM), "deploy", "--guided", "--no-execute-changeset", "--template-file", "template.yaml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | NO_ACCOUNT
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, input="\n" * 99, capture_output=True, encoding="utf-8", check=False
    )
    assert "Looking for resources needed for deployment" in ended.stdout
    assert "Unable to locate credentials" in ended.stderr
    asked = re.findall(r"\t([A-Z][\w .?]+?) \[[^\]]*\]:", ended.stdout)
    told = [row[0] for row in rows(section(DEPLOY, "## Deploy"))]
    assert [question for question in asked if not question.startswith("Parameter ")] == [
        question for question in told if not question.startswith("Parameter ")
    ]
    assert [question.removeprefix("Parameter ") for question in asked if question.startswith("Parameter ")] == list(
        TEMPLATE["Parameters"]
    )


def test_every_alarm_has_a_section_and_every_section_an_alarm() -> None:
    headings = re.findall(r"^### (\w+)$", section(OPERATIONS, "## Alarms"), re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(headings) == of_type("AWS::CloudWatch::Alarm")


def test_every_widget_is_told_of() -> None:
    told = [row[0] for row in rows(section(OPERATIONS, "## The dashboard"))]
    assert told == re.findall(r'"properties": {"title": "([^"]+)"', SOURCE)


def test_every_metric_is_told_of() -> None:
    told = {named(row[0])[0]: row[1] for row in rows(section(OPERATIONS, "## Metrics").split("### ")[0])}
    assert {re.sub(r"<\w+>", "<>", name): unit for name, unit in told.items()} == dict(counted())


def counted() -> Iterator[tuple[str, str]]:
    """The names that the code counts and measures, <> for what varies in one, and their units."""
    units = {"count": "Count", "measure": "Seconds"}
    for path in (*ROOT.glob("shared/lockstep/**/*.py"), *ROOT.glob("functions/*/*/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in units:
                yield _pattern(node.args[0]), units[node.func.id]


def _pattern(name: ast.expr) -> str:
    if isinstance(name, ast.JoinedStr):
        return "".join(_pattern(part) for part in name.values)
    return str(name.value) if isinstance(name, ast.Constant) else "<>"


def test_every_kind_of_refusal_is_told_of() -> None:
    told = [named(kind)[0] for kind, _ in rows(section(OPERATIONS, "### Kinds of refusals"))]
    assert sorted(told) == sorted(kind.name for kind in RefusalKind)


def test_every_kind_of_failure_is_told_of() -> None:
    kinds = {kind.__name__.removesuffix("Error"): kind.status for kind in _below(errors.LockstepError)}
    told = {named(kind)[0]: int(status) for kind, status, _ in rows(section(OPERATIONS, "### Kinds of failures"))}
    assert told == kinds


def _below(kind: type[errors.LockstepError]) -> Iterator[type[errors.LockstepError]]:
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
            yield from _below(below)


FUNCTION_LOG: Final = section(OPERATIONS, "### Lines of functions")
ACCESS_LOG: Final = section(OPERATIONS, "### Lines of API Gateway")


def fields_told(text: str) -> set[str]:
    return {name for row in rows(text) for name in named(row[0])}


def test_every_field_of_the_access_log_is_told_of() -> None:
    [format_] = re.findall(r"Format: >-\n(.*?)\n      #", SOURCE, re.DOTALL)
    assert fields_told(ACCESS_LOG) == json.loads(format_).keys()


@pytest.mark.parametrize("event", ["log_running", "log_done.unknown_id", "health"])
def test_the_fields_of_a_line_are_told_of(event: str) -> None:
    invoked = run_module("local.invoke", event, POWERTOOLS_LOG_LEVEL="INFO")
    [line] = [json.loads(line) for line in invoked.stderr.splitlines() if line.startswith("{")]
    assert {"route", "status", "seconds", "request_id"} <= line.keys()
    assert line.keys() <= fields_told(FUNCTION_LOG)


def test_questions_ask_for_fields_that_there_are() -> None:
    queries = re.findall(r"```\n(.*?)```", section(OPERATIONS, "### Questions"), re.DOTALL)
    assert queries
    known = fields_told(FUNCTION_LOG) | fields_told(ACCESS_LOG) | {"@timestamp"}
    for query in queries:
        asked = re.findall(r"^(?:fields|\| filter|\| sort|\| stats .* by) (.*)$", query, re.MULTILINE)
        assert asked, query
        for words in asked:
            names = re.findall(r"@?\b[a-z_]+\b", re.sub(r'"[^"]*"|/[^/]*/', "", words))
            assert set(names) - {"like", "desc", "ispresent"} <= known, words


def commands() -> Iterator[list[str]]:
    """Every command of the AWS command line in either document."""
    for document in (DEPLOY, OPERATIONS):
        for line in re.sub(r"\\\n\s*", "", document).splitlines():
            for start in re.finditer(r"\baws (?=[a-z]+ [a-z-]+ --)", line):
                yield _words(line[start.start() :])


def _words(line: str) -> list[str]:
    """Up to the end of the command: a closing bracket or backtick, a semicolon, or the line's end."""
    lexer = shlex.shlex(re.sub(r"\$\(.*\)|`.*", "$", line), posix=True, punctuation_chars=";)")
    lexer.whitespace_split = True
    words = list(lexer)
    return words[: next((at for at, word in enumerate(words) if set(word) <= set(";)")), len(words))]


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: " ".join(command[1:3]))
def test_commands_have_the_options_that_they_are_given(command: list[str]) -> None:
    _, service, name, *rest = command
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(operation, "-"): operation for operation in model.operation_names}
    members = model.operation_model(operations[name]).input_shape.members
    known = {xform_name(member, "-") for member in members} | GLOBAL_OPTIONS
    options = {word.removeprefix("--").removeprefix("no-") for word in rest if word.startswith("--")}
    assert options
    assert options <= known


def test_there_are_commands() -> None:
    assert ["aws", "dynamodb", "delete-table", "--table-name", "$TABLE"] in list(commands())


def test_waiters_are_ones_that_there_are() -> None:
    waits = re.findall(r"aws (\w+) wait ([\w-]+)", DEPLOY + OPERATIONS)
    assert waits
    for service, waiter in waits:
        names = botocore.session.get_session().get_waiter_model(service).waiter_names
        assert waiter in {xform_name(name, "-") for name in names}


def test_the_template_of_a_restored_table_is_the_table_without_a_name() -> None:
    [script] = re.findall(r"python -c '\n(.*?)' > table.json", OPERATIONS, re.DOTALL)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((".", "shared"))}
    lines = "\n".join(line.removeprefix("   ") for line in script.splitlines())
    printed = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    [(name, table)] = json.loads(printed.stdout)["Resources"].items()
    deployed = TEMPLATE["Resources"][name]
    assert table["Type"] == deployed["Type"]
    assert table["DeletionPolicy"] == deployed["DeletionPolicy"]
    assert "TableName" not in table["Properties"]
    for settled_at_birth in ("KeySchema", "AttributeDefinitions", "BillingMode"):
        assert table["Properties"][settled_at_birth] == deployed["Properties"][settled_at_birth]
    indexes = [
        {key: value for key, value in index.items() if key != "OnDemandThroughput"}
        for index in deployed["Properties"]["GlobalSecondaryIndexes"]
    ]
    assert table["Properties"]["GlobalSecondaryIndexes"] == indexes


@pytest.mark.parametrize("document", ["deploy.md", "operations.md"])
def test_links_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "docs" / document).read_text(encoding="utf-8"))
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        there = ROOT / "docs" / (path or document)
        assert there.is_file(), link
        assert not anchor or anchor in _anchors(there.read_text(encoding="utf-8")), link


def _anchors(document: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
