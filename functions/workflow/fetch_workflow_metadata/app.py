"""Show a workflow's dag and limit."""

from typing import NamedTuple

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow.read import find_workflow, read_spec


class Metadata(NamedTuple):
    """A workflow's metadata as a list, which Jobmon's client reads by position."""

    workflow_id: int
    dag_id: int
    max_concurrently_running: int


class MetadataReply(Reply):
    """Empty where there is no such workflow."""

    workflow: Metadata | list[int]


@endpoint("fetch_workflow_metadata")
def lambda_handler(path: WorkflowPath) -> MetadataReply:
    """Return the metadata. A client that resumes a workflow by its id begins with this call."""
    workflow, spec = find_workflow(path.workflow_id), read_spec(path.workflow_id)
    if workflow is None or spec is None:
        return MetadataReply(workflow=[])
    return MetadataReply(workflow=Metadata(path.workflow_id, spec.dag_id, workflow.limit))
