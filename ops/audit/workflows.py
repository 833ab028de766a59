"""Check the workflows: each is there whole, and is found by its natural key."""

from collections.abc import Iterator

from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.workflow.item import Workflow, WorkflowLookup, WorkflowSpec
from ops.audit.ids import differences
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.reader import Reads, read_models
from ops.audit.seen import Seen
from ops.audit.seen_workflows import SeenWorkflows, natural_key


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The broken invariants of workflows."""
    of_workflows = seen.of_workflows
    for chunk in chunks(sorted(of_workflows.spoken_of - of_workflows.workflows.keys()), KEYS_PER_READ):
        found = reads.items(map(Workflow.key, chunk))
        yield from (_orphan(each) for each in chunk if Workflow.key(each) not in found)
    for chunk in chunks(differences(of_workflows.specs, of_workflows.lookups), KEYS_PER_READ):
        yield from _natural_keys(chunk, of_workflows, reads)


def _orphan(workflow_id: int) -> Finding:
    return Finding("orphan", f"workflow {workflow_id}", "without its WORKFLOW item", "whole: other items belong to it")


def _natural_keys(workflow_ids: list[int], of_workflows: SeenWorkflows, reads: Reads) -> Iterator[Finding]:
    """A specification and a lookup are written together, and agree. A workflow that nobody bound has neither."""
    specs = read_models(WorkflowSpec, map(WorkflowSpec.key, workflow_ids), reads)
    lookups = read_models(WorkflowLookup, map(natural_key, specs.values()), reads)
    for workflow_id in workflow_ids:
        spec = specs.get(WorkflowSpec.key(workflow_id))
        if spec is None:
            if of_workflows.lookups[workflow_id]:
                must = "with one: a lookup leads to it"
                yield Finding("lookup", f"workflow {workflow_id}", "without a specification", must)
            continue
        key = natural_key(spec)
        lookup = lookups.get(key)
        if lookup is None or lookup.id != workflow_id:
            got = f"for workflow {lookup.id}" if lookup else "not there"
            yield Finding("lookup", in_words(key), got, f"for workflow {workflow_id}, which has this key")
