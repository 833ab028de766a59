"""What a deployment is: who may call, what takes over how, what is kept, who is told."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from local.layer import LAMBDA_PYTHON
from local.template import ROOT, Template
from lockstep.access.authorizer import UnauthorizedError
from tests.deployment.transformed import name, transform, words

DEPLOYED, GRADUAL = transform({}, {"Deployment": "Canary10Percent5Minutes"})


def test_callers_have_a_token_or_sign() -> None:
    condition, token, signature = DEPLOYED.security_definitions["Caller"]["Fn::If"]
    assert condition == "ByToken"
    assert DEPLOYED.conditions["ByToken"] == {"Fn::Equals": [{"Ref": "AuthMode"}, "token"]}
    assert signature["x-amazon-apigateway-authtype"] == "awsSigv4"
    asks = token["x-amazon-apigateway-authorizer"]
    assert (asks["type"], token["in"], token["name"]) == ("token", "header", "Authorization")
    assert "AuthorizerAliaslive" in "".join(words(asks["authorizerUri"]))
    assert asks["authorizerResultTtlInSeconds"] == {"Ref": "AuthorizerCacheSeconds"}


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer a.b.c"])
def test_the_gateway_asks_about_what_may_be_a_token(header: str) -> None:
    assert re.fullmatch(Template().authorizer.expression, header)


@pytest.mark.parametrize("header", ["", "Digest x", "Bearer", "AWS4-HMAC-SHA256 Credential=x"])
def test_the_gateway_refuses_what_is_none_without_asking(header: str) -> None:
    assert not re.fullmatch(Template().authorizer.expression, header)


def test_the_gateway_may_call_the_authorizer_that_it_asks() -> None:
    [permission] = [
        permission
        for permission in DEPLOYED.of_type("AWS::Lambda::Permission").values()
        if "authorizers" in "".join(words(permission["SourceArn"]))
    ]
    assert permission["FunctionName"] == {"Ref": "AuthorizerAliaslive"}


def test_a_private_api_is_reached_through_its_endpoint_only() -> None:
    [api] = DEPLOYED.of_type("AWS::ApiGateway::RestApi").values()
    kind = api["EndpointConfiguration"]
    assert kind["Types"] == [{"Fn::If": ["Private", "PRIVATE", "REGIONAL"]}]
    condition, policy, otherwise = api["Policy"]["Fn::If"]
    assert (condition, otherwise) == ("Private", {"Ref": "AWS::NoValue"})
    [elsewhere] = policy["Statement"]  # and no Allow: it would let pass what the authorizer does not name
    assert (elsewhere["Effect"], elsewhere["Principal"], elsewhere["Resource"]) == ("Deny", "*", "execute-api:/*")
    assert elsewhere["Condition"] == {"StringNotEquals": {"aws:SourceVpce": {"Ref": "VpcEndpointId"}}}


def test_there_is_one_stage() -> None:
    """SAM makes another one unless it is told not to, without limits and without a log."""
    [deployment] = DEPLOYED.of_type("AWS::ApiGateway::Deployment").values()
    assert "StageName" not in deployment
    assert len(DEPLOYED.of_type("AWS::ApiGateway::Stage")) == 1


def test_the_stage_is_made_after_the_role_that_its_log_needs() -> None:
    [stage] = DEPLOYED.of_type("AWS::ApiGateway::Stage").values()
    waits = stage["Variables"]["access_log_by"]["Fn::If"]
    assert waits[:2] == ["SetsApiGatewayLogging", {"Ref": "ApiGatewayAccount"}]


def test_every_deployment_is_one_of_the_api_too() -> None:
    """AuthMode and VpcEndpointId change nothing that SAM can tell by: the stage would go on as it was."""
    [again] = transform({}, fresh=True)
    assert set(DEPLOYED.of_type("AWS::ApiGateway::Deployment")).isdisjoint(again.of_type("AWS::ApiGateway::Deployment"))


def test_the_gateway_is_set_by_parameters() -> None:
    [stage] = DEPLOYED.of_type("AWS::ApiGateway::Stage").values()
    [api] = DEPLOYED.of_type("AWS::ApiGateway::RestApi").values()
    [all_methods] = stage["MethodSettings"]
    assert all_methods["ThrottlingRateLimit"] == {"Ref": "ThrottlingRate"}
    assert all_methods["ThrottlingBurstLimit"] == {"Ref": "ThrottlingBurst"}
    assert api["MinimumCompressionSize"] == {"Ref": "MinCompressionBytes"}
    assert name(stage["AccessLogSetting"]["DestinationArn"]) == "AccessLog"
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"request_id", "status", "route", "error", "caller", "milliseconds"} <= line.keys()
    assert all(value.startswith("$context.") for value in line.values())


@pytest.mark.parametrize("function", DEPLOYED.functions.values(), ids=lambda function: function.folder)
def test_a_function_is_what_every_function_is(function: Any) -> None:
    properties = function.properties
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])
    assert properties["Timeout"] in {10, 15, 19}
    assert (properties["Timeout"] == 19) == (properties["MemorySize"] == 1769)
    assert properties["LoggingConfig"]["LogGroup"] == {"Ref": "Log"}
    assert properties["LoggingConfig"]["LogFormat"] == "JSON"
    assert properties["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    assert "SnapStart" not in properties
    reserved = {"Fn::If": ["ReservesConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert properties["ReservedConcurrentExecutions"] == reserved


@pytest.mark.parametrize("function", DEPLOYED.functions.values(), ids=lambda function: function.folder)
def test_callers_reach_an_alias_of_a_version(function: Any) -> None:
    alias = DEPLOYED.of_type("AWS::Lambda::Alias")[f"{function.logical_id}Aliaslive"]
    version, _ = alias["FunctionVersion"]["Fn::GetAtt"]
    assert DEPLOYED.of_type("AWS::Lambda::Version")[version]["FunctionName"] == {"Ref": function.logical_id}


def test_a_new_layer_is_a_new_version_of_every_function() -> None:
    """Nearly all code is in it: the alias would go on with the old one."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert text.count("ContentUri: shared/\n") == 1
    [other] = transform({}, template=text.replace("ContentUri: shared/\n", "ContentUri: other/\n"))
    versions = set(DEPLOYED.of_type("AWS::Lambda::Version"))
    assert len(versions) == len(DEPLOYED.functions)
    assert versions.isdisjoint(other.of_type("AWS::Lambda::Version"))


@pytest.mark.parametrize("function", DEPLOYED.functions.values(), ids=lambda function: function.folder)
def test_a_parameter_that_changes_alone_is_a_new_version(function: Any) -> None:
    """SAM digests what refers to it, and not its value; CloudFormation replaces a version whose description changes."""
    alias = DEPLOYED.of_type("AWS::Lambda::Alias")[f"{function.logical_id}Aliaslive"]
    version = DEPLOYED.of_type("AWS::Lambda::Version")[alias["FunctionVersion"]["Fn::GetAtt"][0]]
    named = set(re.findall(r"\$\{(\w+)\}", version["Description"]["Fn::Sub"]))
    variables = function.properties["Environment"]["Variables"].values()
    referred = {value["Ref"] for value in variables if isinstance(value, dict) and "Ref" in value}
    assert named == referred & Template().parameters.keys()


ALARMS_OF_A_DEPLOYMENT: Final = ["DefectsAlarm", "BrokenFunctionsAlarm", "ServerErrorsAlarm"]


def test_a_gradual_deployment_goes_back_when_an_alarm_rings() -> None:
    groups = GRADUAL.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert GRADUAL.resources["AuthorizerDeploymentGroup"]["Condition"] == "ByToken"
    for group in groups.values():
        alarms = group["AlarmConfiguration"]["Alarms"]
        assert [alarm["Name"]["Ref"] for alarm in alarms] == ALARMS_OF_A_DEPLOYMENT
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        assert "Canary10Percent5Minutes" in words(group["DeploymentConfigName"])


def test_nothing_that_was_stored_is_lost() -> None:
    table = DEPLOYED.resources["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert Template().parameters["DeletionProtection"]["Default"] == "true"
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_logs_end() -> None:
    groups = DEPLOYED.of_type("AWS::Logs::LogGroup")
    assert set(groups) == {"Log", "AccessLog"}
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


ALARMS: Final = DEPLOYED.of_type("AWS::CloudWatch::Alarm")
COUNTED: Final = {
    found
    for file in (ROOT / "shared/lockstep").rglob("*.py")
    for found in re.findall(r'(?:count|measure)\(f?"([A-Za-z]+)', file.read_text(encoding="utf-8"))
}
"""The first words of the names of all metrics of ours."""


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_rings_where_it_was_told_to(alarm: dict[str, Any]) -> None:
    told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert alarm["AlarmActions"] == alarm["OKActions"] == told
    assert alarm["AlarmDescription"]
    assert alarm["TreatMissingData"] == "notBreaching"  # nothing happens in a service that idles


STACK: Final = {"service": {"Ref": "AWS::StackName"}}
STAGE: Final = {"ApiName": {"Ref": "AWS::StackName"}, "Stage": {"Ref": "StageName"}}
LOOKED_AT: Final = {
    "DefectsAlarm": [("Lockstep", "Failed.Defect", STACK)],
    "BrokenFunctionsAlarm": [({"Fn::Sub": "Lockstep/${AWS::StackName}"}, "BrokenFunctions", {})],
    "ServerErrorsAlarm": [("AWS/ApiGateway", "5XXError", STAGE)],
    "SlowRepliesAlarm": [("AWS/ApiGateway", "Latency", STAGE)],
    "ThrottledWritesAlarm": [("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": {"Ref": "Table"}})],
    "SilentWorkersAlarm": [("Lockstep", "Moved.RUNNING.TRIAGING", STACK)],
    "RefusedTokensAlarm": [("Lockstep", "Unauthorized", STACK)],
    "UntoldChangesAlarm": [("AWS/EventBridge/Pipes", "ExecutionFailed", {"PipeName": {"Ref": "Changes"}})],
    "AccountConcurrencyAlarm": [
        ("AWS/Lambda", "ClaimedAccountConcurrency", {}),
        ("AWS/Lambda", "ConcurrentExecutions", {}),
    ],
}
"""Ours are what tests/routes/test_observability.py and test_tokens.py see counted under these names."""


def test_alarms_look_at_metrics_that_there_are() -> None:
    assert {name: list(_metrics(alarm)) for name, alarm in ALARMS.items()} == LOOKED_AT


def _metrics(alarm: dict[str, Any]) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    queries = alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}])
    for metric in (query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query):
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        yield metric["Namespace"], metric["MetricName"], dimensions


def test_the_concurrency_alarm_goes_by_the_accounts_own_quota() -> None:
    """As https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html says: 1,000, 100 or 10 alike."""
    alarm = ALARMS["AccountConcurrencyAlarm"]
    [percent] = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
    assert percent["Expression"] == "claimed / SERVICE_QUOTA(concurrent) * 100"
    assert alarm["Threshold"] == {"Ref": "ManyFunctions"}
    parameter = Template().parameters["ManyFunctions"]
    assert (parameter["Default"], parameter["MaxValue"]) == (80, 100)


def test_broken_functions_are_counted_where_the_alarm_looks() -> None:
    [counted] = DEPLOYED.of_type("AWS::Logs::MetricFilter").values()
    assert counted["LogGroupName"] == {"Ref": "Log"}
    [metric] = counted["MetricTransformations"]
    alarm = ALARMS["BrokenFunctionsAlarm"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    errors, failures, timeouts = counted["FilterPattern"].strip("{ }").split(" || ")
    assert errors == f'($.errorType = "*" && $.errorType != "{UnauthorizedError.__name__}")'
    assert (failures, timeouts) == ('($.record.status = "failure")', '($.record.status = "timeout")')


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param("import nowhere", "Runtime.ImportModuleError", id="a module that is not there"),
        pytest.param("1 +", "Runtime.UserCodeSyntaxError", id="a mistake"),
        pytest.param("handler = None", "Runtime.HandlerNotFound", id="no handler"),
        pytest.param("import os; os.environ['NOT_SET']", "KeyError", id="a variable that is not there"),
    ],
)
def test_lambdas_runtime_logs_the_error_type_of_a_function_that_cannot_be_imported(
    code: str, error: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(code, encoding="utf-8")
    start = "import awslambdaric.bootstrap as b, unittest.mock as m; b.run('app.lambda_handler', m.Mock())"
    ended = subprocess.run(
        [str(LAMBDA_PYTHON), "-Bc", start],
        cwd=tmp_path,
        env={"AWS_LAMBDA_LOG_FORMAT": "JSON"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 1
    [*_, line] = ended.stdout.splitlines()
    assert json.loads(line)["errorType"] == error


def test_the_api_speaks_tls_1_2_at_least() -> None:
    """An enhanced policy wants an access mode: AWS's "Security policies for REST APIs in API Gateway"."""
    [api] = DEPLOYED.of_type("AWS::ApiGateway::RestApi").values()
    assert (api["SecurityPolicy"], api["EndpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_2021_06", "BASIC")


def test_the_accounts_role_for_logs_is_replaced_only_if_asked() -> None:
    assert Template().parameters["ApiGatewayLogging"]["Default"] == "keep"
    assert DEPLOYED.conditions["SetsApiGatewayLogging"] == {"Fn::Equals": [{"Ref": "ApiGatewayLogging"}, "create"]}
    for resource in ("ApiGatewayLogRole", "ApiGatewayAccount"):
        assert DEPLOYED.resources[resource]["Condition"] == "SetsApiGatewayLogging"


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    [board] = DEPLOYED.of_type("AWS::CloudWatch::Dashboard").values()
    text = board["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[\w:]+\}", "x", text))["widgets"]
    ours = {metric[1].partition(".")[0] for widget in widgets for metric in _shown(widget) if metric[0] == "Lockstep"}
    assert ours | set(re.findall(r"MetricName=(\w+)", text)) == COUNTED
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(places) == len(set(places))


def _shown(widget: dict[str, Any]) -> list[list[Any]]:
    return [metric for metric in widget["properties"]["metrics"] if isinstance(metric[0], str)]
