"""Note attributes of a workflow."""

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Attributes
from lockstep.http.models import Request
from lockstep.workflow.bind import note_attributes
from lockstep.workflow.path import WorkflowPath


class AttributesToNote(Request):
    """Values by name."""

    workflow_attributes: Attributes | None


@endpoint("set_workflow_attributes")
def lambda_handler(path: WorkflowPath, body: AttributesToNote) -> NoReply:
    """Replace the attributes of the same names; keep the others."""
    note_attributes(path.workflow_id, body.workflow_attributes or {})
    return NoReply()
