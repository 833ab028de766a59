"""Check the workflows: each to which other items belong is there."""

from collections.abc import Iterator

from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.workflow.item import Workflow
from ops.audit.invariants.finding import Finding
from ops.audit.reader import Reads
from ops.audit.seen import Seen


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The workflows of which only a part is there."""
    of_workflows = seen.of_workflows
    for chunk in chunks(sorted(of_workflows.spoken_of - of_workflows.workflows.keys()), KEYS_PER_READ):
        found = reads.items(map(Workflow.key, chunk))
        for workflow_id in chunk:
            if Workflow.key(workflow_id) not in found:
                about, must = f"workflow {workflow_id}", "whole: other items belong to it"
                yield Finding("orphan", about, "without its WORKFLOW item", must)
