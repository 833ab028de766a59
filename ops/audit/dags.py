"""Check DAGs and nodes: edges have a DAG and lie in their partition, long lists are whole, arguments fit their key."""

from collections.abc import Iterator

from lockstep.dag.item import SHARDS, Dag, Direction, Edge, EdgePart, NodeArgs
from lockstep.dynamodb.client import KEYS_PER_READ, chunks
from lockstep.workflow.item import Workflow
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model, read_models
from ops.audit.seen import Seen


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """Each DAG that has edges or a workflow is there, and one that is complete and has tasks has edges."""
    of_workflows = seen.of_workflows.of_dags
    for dag_ids in chunks(sorted((seen.dags_with_edges | of_workflows.keys()) - seen.dags.keys()), KEYS_PER_READ):
        found = reads.items(map(Dag.key, dag_ids))
        for dag_id in dag_ids:
            if Dag.key(dag_id) not in found:
                why = "it has edges" if dag_id in seen.dags_with_edges else f"workflow {of_workflows[dag_id]} is of it"
                yield Finding("dag-missing", f"DAG {dag_id}", "not there", f"there: {why}")
    for dag_id, complete in seen.dags.items():
        if complete and dag_id in of_workflows and dag_id not in seen.dags_with_edges:
            yield from _edges(dag_id, of_workflows[dag_id], reads)


def _edges(dag_id: int, workflow_id: int, reads: Reads) -> Iterator[Finding]:
    """A complete DAG has an edge for each of its nodes, and a workflow with tasks has nodes."""
    workflow = read_model(Workflow, Workflow.key(workflow_id), reads)
    if workflow is None or not workflow.num_tasks:
        return
    if not any(reads.partition(Edge.partition(dag_id, shard)) for shard in range(SHARDS)):
        must = f"with the nodes of workflow {workflow_id}, which has tasks"
        yield Finding("dag-edges", f"DAG {dag_id}", "complete without any edges", must)


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """What an item of a DAG, or of nodes, tells by itself."""
    item, ids = parsed
    if isinstance(item, NodeArgs):
        version: int = ids[0]
        if NodeArgs.key(version, item.node_ids, item.args).sk != item.sk:
            yield Finding("node-args", in_words(item), "other content", "content of this digest")
    elif isinstance(item, Edge | EdgePart):
        dag_id, shard, node_id = ids[:3]
        if node_id % SHARDS != shard:
            about = in_words(item)
            yield Finding("edge-shard", about, f"in shard {shard}", f"in shard {node_id % SHARDS}")
        elif isinstance(item, Edge):
            yield from _parts(dag_id, node_id, "UP", item.upstream_in_parts, reads)
            yield from _parts(dag_id, node_id, "DOWN", item.downstream_in_parts, reads)


def _parts(dag_id: int, node_id: int, direction: Direction, count: int | None, reads: Reads) -> Iterator[Finding]:
    """A list of neighbours that lies in parts is whole."""
    if count is None:
        return
    keys = EdgePart.keys(dag_id, node_id, direction, count)
    found = sum(len(part.node_ids) // 8 for part in read_models(EdgePart, keys, reads).values())
    if found != count:
        about = f"node {node_id} of DAG {dag_id}, {direction}"
        yield Finding("edge-parts", about, f"{found} neighbours in its parts", f"{count}, as its item says")
