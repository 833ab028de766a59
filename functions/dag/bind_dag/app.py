"""Find or create a DAG."""

from lockstep.clock import naive
from lockstep.dag.edges import bind_dag
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import DagId
from lockstep.http.models import Reply, Request


class DagToBind(Request):
    """A DAG is known by the hash that the client made of it."""

    dag_hash: DagId


class DagReply(Reply):
    """The DAG's id, which is its hash, and when its edges were complete; null while they are not."""

    dag_id: int
    created_date: str | None


@endpoint("bind_dag")
def lambda_handler(body: DagToBind) -> DagReply:
    """Return the date of the DAG's last edges. Without a date, the client sends all edges."""
    created_date = bind_dag(body.dag_hash)
    return DagReply(dag_id=body.dag_hash, created_date=None if created_date is None else naive(created_date))
