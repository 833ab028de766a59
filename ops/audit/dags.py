"""Check DAGs and nodes: edges have a DAG and lie in their partition, long lists are whole, arguments fit their key."""

from collections.abc import Iterator

from lockstep.dag.item import SHARDS, Dag, Direction, Edge, EdgePart, NodeArgs
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_models
from ops.audit.seen import Seen


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """Each DAG that has edges or a workflow is there, and one that says that it has edges has them."""
    of_workflows = seen.of_workflows.of_dags
    for dag_ids in chunks(sorted((seen.dags_with_edges | of_workflows.keys()) - seen.dags.keys()), KEYS_PER_READ):
        found = reads.items(map(Dag.key, dag_ids))
        for dag_id in dag_ids:
            if Dag.key(dag_id) not in found:
                why = "it has edges" if dag_id in seen.dags_with_edges else f"workflow {of_workflows[dag_id]} is of it"
                yield Finding("dag-missing", f"DAG {dag_id}", "not there", f"there: {why}")
    noted = ((dag_id, node) for dag_id, node in seen.dags.items() if node and dag_id not in seen.dags_with_edges)
    for some in chunks(noted, KEYS_PER_READ):
        edges = reads.items(Edge.key(*of_node) for of_node in some)
        for dag_id, node_id in some:
            if Edge.key(dag_id, node_id) not in edges:
                must = f"with those of node {node_id}, which were stored before it was complete"
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
