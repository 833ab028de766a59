"""template.yaml, the functions' folders and the routes they name agree."""

import re
from pathlib import Path

import pytest

from local.template import ROOT, Function, Template
from lockstep.dynamodb.item import Expiring

TEMPLATE = Template()
FUNCTIONS = sorted(ROOT.glob("functions/*/*/app.py"))


def test_the_ttl_attribute_is_the_models() -> None:
    assert f"{{AttributeName: {Expiring.expires_at.attr_name}, Enabled: true}}" in (ROOT / "template.yaml").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(("days", "allowed"), [("0", True), ("29", False), ("30", True), ("365", True), ("030", False)])
def test_a_period_is_none_or_a_month_at_least(days: str, *, allowed: bool) -> None:
    pattern = re.findall(
        r"  RetentionDays:\n.*?AllowedPattern: \"(.*?)\"",
        (ROOT / "template.yaml").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert (re.fullmatch(pattern[0], days) is not None) is allowed


def test_a_handler_holds_nothing_but_its_route() -> None:
    for file in FUNCTIONS:
        source = file.read_text(encoding="utf-8")
        for foreign in ("try:", "os.environ", "boto", "pynamodb", "time.sleep"):
            assert foreign not in source, f"{foreign} in {file}"


def test_a_function_has_what_globals_say_where_it_says_nothing() -> None:
    functions = {function.name: function for function in TEMPLATE.functions}
    assert sorted(functions) == sorted(file.parent.name for file in FUNCTIONS)
    usual, bulk = functions["log_done"], functions["queue_task_batch"]
    assert (usual.folder, usual.handler) == (ROOT / "functions/task_instance/log_done", "app.lambda_handler")
    assert usual.timeout < bulk.timeout
    assert usual.variables["POWERTOOLS_LOG_LEVEL"] == "INFO"
    assert usual.variables["TABLE_NAME"] == "Table"


def test_a_function_without_a_route_is_a_function(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        """
Parameters: {Size: {Type: Number, Default: 7}}
Globals: {Function: {Runtime: python3.13, Handler: app.f, MemorySize: 128, Environment: {Variables: {A: 1, B: 1}}}}
Resources:
  Alone:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/api/alone/
      Timeout: 3
      Environment: {Variables: {B: !Ref Size, C: !GetAtt Table.Arn}}
""",
        encoding="utf-8",
    )
    template = Template(file)
    variables = {"A": "1", "B": "7", "C": "Table.Arn"}
    alone = Function("alone", ROOT / "functions/api/alone", "python3.13", "app.f", 3, 128, {}, variables)
    assert template.functions == [alone]
