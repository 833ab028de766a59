"""List the workflows with the same arguments."""

from typing import Annotated

from pydantic import Field

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import SoughtHash
from lockstep.http.models import Reply, Request
from lockstep.workflow.bind import Matching, matching_workflows


class ArgumentsPath(Request):
    """The hash of a workflow's arguments."""

    workflow_args_hash: Annotated[SoughtHash, Field(alias="workflow_id")]


class MatchingReply(Reply):
    """The workflows, of any tool version."""

    matching_workflows: list[Matching]


@endpoint("get_matching_workflows")
def lambda_handler(path: ArgumentsPath) -> MatchingReply:
    """List the workflows. A client compares them with the workflow that it is about to bind."""
    return MatchingReply(matching_workflows=matching_workflows(path.workflow_args_hash))
