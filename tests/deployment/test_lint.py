"""cfn-lint on the template as CloudFormation gets it. `sam validate --lint` sees the text before the transform only."""

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from local.template import Template
from tests.deployment.transformed import transform

CONSUMED: Final = ["W2001", "W7001"]
"""Deployment and its mapping are not used any more: SAM has put them in."""
DEPLOYMENTS: Final[list[str]] = Template().parameters["Deployment"]["AllowedValues"]
GRADUALLY: Final = DEPLOYMENTS[1:]
ACCESS: Final = [
    {"AuthMode": mode, "VpcEndpointId": endpoint}
    for mode, endpoint in product(("token", "iam"), ("", "vpce-0123456789abcdef0"))
]
OTHERS: Final = {
    "ApiGatewayLogging": "create",
    "ReservedConcurrency": "5",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k",
    "MaxReadUnits": "1000",
    "MaxWriteUnits": "1000",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:topic",
    "Dashboard": "false",
    "ChangeEvents": "on",
}
"""The other parameters that a condition depends on, each away from its default."""


def test_every_condition_is_looked_at() -> None:
    known = {"AuthMode", "VpcEndpointId", *OTHERS}
    [document] = (transformed.document for transformed in transform({}))
    assert set(re.findall(r'"Ref": "(\w+)"', json.dumps(document["Conditions"]))) == known


@pytest.fixture(scope="module")
def shapes() -> dict[str, str]:
    """The transformed template by Deployment. All other parameters are left to CloudFormation's conditions.

    So they are at once and gradually; how a gradual deployment is called makes no difference to them.
    """
    given = [{"Deployment": deployment} | others for deployment in DEPLOYMENTS[:2] for others in (*ACCESS, OTHERS)]
    given += [{"Deployment": deployment} for deployment in DEPLOYMENTS[2:]]
    texts: dict[str, set[str]] = {deployment: set() for deployment in DEPLOYMENTS}
    for parameters, transformed in zip(given, transform(*given), strict=True):
        text = json.dumps(transformed.document, indent=1)
        # AlwaysDeploy gives each deployment of the API an id of its own.
        texts[parameters["Deployment"]].add(re.sub(r"(ApiDeployment|deployment id: )[0-9a-f]+", r"\1x", text))
    assert [len(found) for found in texts.values()] == [1] * len(DEPLOYMENTS)
    return {deployment: found.pop() for deployment, found in texts.items()}


def test_gradual_deployments_differ_by_their_name_alone(shapes: dict[str, str]) -> None:
    resources = {name: json.dumps(json.loads(shapes[name])["Resources"]) for name in DEPLOYMENTS}
    assert len({resources[name].replace(name, "x") for name in GRADUALLY}) == 1
    assert resources[GRADUALLY[0]] != resources[DEPLOYMENTS[0]]


@pytest.mark.parametrize("deployment", DEPLOYMENTS[:2])
def test_the_transformed_template_has_no_findings(shapes: dict[str, str], deployment: str, tmp_path: Path) -> None:
    assert lint(json.loads(shapes[deployment]), tmp_path) == []


def test_the_linter_knows_what_is_missing_with_one_option(shapes: dict[str, str], tmp_path: Path) -> None:
    """With AuthMode=iam there is no secret: whoever refers to it must be conditional too."""
    document = json.loads(shapes[DEPLOYMENTS[0]])
    document["Resources"] = {"SigningKeys": document["Resources"]["SigningKeys"]}
    document["Outputs"] = {"Keys": {"Value": {"Ref": "SigningKeys"}}}
    assert [finding for finding in lint(document, tmp_path) if "W1001" in finding]


def lint(document: dict[str, Any], folder: Path) -> list[str]:
    """The findings of cfn-lint, which takes what to ignore from the template's own Metadata too."""
    file = folder / "template.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    linter = str(Path(sys.executable).with_name("cfn-lint"))
    command = [linter, "--format", "parseable", "--ignore-checks", *CONSUMED, "--", str(file)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert not ended.stderr
    return ended.stdout.splitlines()
