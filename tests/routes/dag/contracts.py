"""The contracts of the routes in functions/dag."""

from functions.dag.bind_dag.app import DagReply
from functions.dag.bind_nodes.app import NodesReply
from lockstep import clock
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID
from lockstep.http.common import NoReply
from lockstep.http.fields import MAX_NODES_PER_CALL
from lockstep.http.reply import MAX_REPLY_BYTES
from tests.support.contract import Contract, Usage

ADD_EDGES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 3, 0.5),
    reads="the DAG; of more than 1,000 nodes or parts of long lists, those that are stored (40 MB)",
    largest=NoReply(),
    body={"edges_to_add": [], "mark_created": False},
    nullable=frozenset({"mark_created"}),
)
BIND_DAG = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 1, 0),
    reads="the DAG, if it is known",
    largest=DagReply(dag_id=MAX_LONG_ID, created_date=clock.naive(0)),
    body={"dag_hash": 5},
    unknown=None,
)
BIND_NODES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 1, 0),
    reads="nothing; of more than 1,000 items to put, those that are stored (5 MB)",
    largest=NodesReply(nodes={f"{MAX_ID}:{10**150 - 1 - number}": 2**62 - 1 for number in range(MAX_NODES_PER_CALL)}),
    body={"nodes": []},
    unknown=None,
)
GET_DOWNSTREAM_TASKS = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 3),
    reads="10,000 tasks (10 MB) and their nodes' edges (40 MB), the long lists of which a reply can tell (3 MB)",
    largest=MAX_REPLY_BYTES,
    body={"task_ids": [], "dag_id": 1},
    unknown=None,
)
