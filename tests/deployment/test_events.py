"""Changes as a stream: the pipe, what it may do, and the example in docs/events.md."""

import json
import re
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it says no types
from jsonschema import Draft202012Validator
from moto.events.models import EventPattern

from local.events_document import BATCH, record
from local.template import ROOT, Grant, Template
from lockstep.changes.event import event_of
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.task_instance.item import InstanceKey, Log
from tests.deployment.test_lint import lint
from tests.deployment.transformed import name, transform
from tests.support.changes import instance, run, task, workflow

[DEPLOYED] = transform({"ChangeEvents": "on"})
[PIPE] = DEPLOYED.of_type("AWS::Pipes::Pipe").values()
FILTERS: Final[list[Any]] = [EventPattern.load(pattern) for pattern in Template().filters]
DOCUMENT: Final = (ROOT / "docs/events.md").read_text(encoding="utf-8")
KINDS: Final[list[tuple[Callable[[str], Any], Any]]] = [
    (instance, TaskInstanceStatus),
    (task, TaskStatus),
    (run, WorkflowRunStatus),
    (workflow, WorkflowStatus),
]


def test_it_is_off_by_default() -> None:
    assert Template().parameters["ChangeEvents"]["Default"] == "off"
    assert DEPLOYED.conditions["TellsChanges"] == {"Fn::Equals": [{"Ref": "ChangeEvents"}, "on"]}
    ours = [key for key in DEPLOYED.resources if "Changes" in key]
    assert {"Changes", "ChangesRole", "TellChanges", "TellChangesAliaslive", "TellChangesRole"} <= set(ours)
    assert [DEPLOYED.resources[key].get("Condition") for key in ours] == ["TellsChanges"] * len(ours)
    on, off = {"StreamViewType": "NEW_AND_OLD_IMAGES"}, {"Ref": "AWS::NoValue"}
    [table] = DEPLOYED.of_type("AWS::DynamoDB::Table").values()
    assert table["StreamSpecification"] == {"Fn::If": ["TellsChanges", on, off]}


def test_the_pipe_leads_from_the_stream_through_the_function_to_the_bus() -> None:
    assert PIPE["Source"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert PIPE["Enrichment"] == {"Ref": "TellChangesAliaslive"}
    assert PIPE["Target"]["Fn::Sub"].endswith(":event-bus/default")
    parameters = PIPE["TargetParameters"]
    paths = {"Source": "$.source", "DetailType": "$.detail-type", "Time": "$.time"}
    assert parameters == {"EventBridgeEventBusParameters": paths, "InputTemplate": "<$.detail>"}
    event = event_of(record(task("D"), task("R")), "lockstep")
    assert event
    made = event.model_dump(mode="json", by_alias=True)
    assert {path.removeprefix("$.") for path in paths.values()} | {"detail"} == made.keys()


def test_the_pipe_gives_up_and_takes_no_larger_batch_than_a_bus() -> None:
    stream = PIPE["SourceParameters"]["DynamoDBStreamParameters"]
    assert stream["BatchSize"] == BATCH == 10
    assert stream["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert 0 < stream["MaximumRetryAttempts"] <= 100
    assert 0 < stream["MaximumRecordAgeInSeconds"] <= 24 * 3600
    assert stream["StartingPosition"] == "LATEST"


def test_the_pipes_role_may_do_that_and_nothing_else() -> None:
    role = DEPLOYED.role(name(PIPE["RoleArn"]))
    stream = str({"Fn::GetAtt": ["Table", "StreamArn"]})
    bus = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
    reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    assert role.grants == {
        *(Grant(f"dynamodb:{action}", stream) for action in reads),
        Grant("lambda:InvokeFunction", "TellChangesAliaslive"),
        Grant("events:PutEvents", bus),
    }
    assert role.foreign == []
    [trust] = DEPLOYED.of_type("AWS::IAM::Role")[role.logical_id]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "pipes.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def passes(new: Any, old: Any = None) -> bool:
    return any(each.matches_event(record(new, old)) for each in FILTERS)


@pytest.mark.parametrize(("made", "statuses"), KINDS, ids=["instance", "task", "run", "workflow"])
def test_the_filter_knows_each_status(made: Callable[[str], Any], statuses: Any) -> None:
    for new in statuses:
        assert passes(made(new)), new
        assert [old for old in statuses if not passes(made(new), made(old))] == [new]
        assert not passes(None, made(new)), new


def test_the_filter_knows_no_status_that_nothing_has() -> None:
    letters = set(re.findall(r'\["(\w)"\]', Template().filters[1]))
    assert letters == {
        status.value for status in chain(TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus)
    }


def test_the_filter_stops_what_has_no_status() -> None:
    assert not passes(Log(*Log.key(InstanceKey(42, 3)), stdout_log="hello"))


@pytest.mark.parametrize("pattern", Template().filters)
def test_a_filter_is_not_too_long(pattern: str) -> None:
    assert len(pattern) <= 4096


def example_rule() -> dict[str, Any]:
    [text] = re.findall(r"<!-- rule -->\n```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    document: dict[str, Any] = cfn_yaml.loads(text)
    return document


def test_the_example_has_no_findings(tmp_path: Any) -> None:
    assert lint(json.loads(json.dumps(example_rule())), tmp_path) == []


def test_the_example_chooses_what_ended() -> None:
    pattern = example_rule()["Resources"]["Ended"]["Properties"]["EventPattern"]
    rule: Any = EventPattern.load(json.dumps(pattern).replace('{"Ref": "Stack"}', '"lockstep"'))

    def chosen(new: Any, old: Any, stack: str = "lockstep") -> bool:
        event = event_of(record(new, old), stack)
        assert event
        return bool(rule.matches_event(event.model_dump(mode="json", by_alias=True)))

    ended = {status.value for status in WorkflowStatus if status != "R" and chosen(workflow(status), workflow("R"))}
    assert ended == {"D", "F"}
    assert not chosen(workflow("F"), workflow("R"), "lockstep-prod")
    assert not chosen(task("F"), task("R"))
    assert not chosen(run("D"), run("R"))


def test_the_examples_are_of_the_schema_and_of_each_kind() -> None:
    schema = json.loads((ROOT / "docs/events.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)]
    assert len({example["detail-type"] for example in examples}) == 4
    for example in examples:
        Draft202012Validator(schema).validate(example)
        assert not Draft202012Validator(schema).is_valid(example | {"detail-type": "Status Change"})
        assert not Draft202012Validator(schema).is_valid(example | {"detail": example["detail"] | {"name": "x"}})
