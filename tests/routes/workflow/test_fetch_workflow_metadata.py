"""Show a workflow's dag and limit."""

import pytest

from functions.workflow.fetch_workflow_metadata.app import Metadata, MetadataReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="fetch_workflow_metadata",
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
    reads="the workflow and its specification (305 kB)",
    largest=MetadataReply(workflow=Metadata(MAX_ID, -(2**63), 2**31 - 1)),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
