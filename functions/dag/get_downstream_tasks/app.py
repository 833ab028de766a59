"""List the nodes that wait for tasks."""

import json
from typing import Annotated

from pydantic import Field

from lockstep.dag.downstream import read_downstream, takes_lists
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_TASKS_PER_CALL, WHOLE, Text, WholeNumber
from lockstep.http.models import Reply, Request


class Client(Request):
    """The version of the client's Jobmon."""

    client_jobmon_version: list[Text] = Field(default_factory=list)


class TasksOfDag(Request):
    """Tasks, and the DAG of their workflow. A task or a DAG that does not exist has nothing below it."""

    task_ids: Annotated[list[WholeNumber], Field(max_length=MAX_TASKS_PER_CALL)]
    dag_id: Annotated[int, Field(ge=-(2**63), lt=2**63), WHOLE]


class DownstreamReply(Reply):
    """For each task id: the task's node and the nodes downstream of it, or null if none are downstream."""

    downstream_tasks: dict[str, tuple[int, list[int] | str | None]]


@endpoint("get_downstream_tasks")
def lambda_handler(query: Client, body: TasksOfDag) -> DownstreamReply:
    """Return the nodes as a list, or as text to a client up to Jobmon 3.4.23 or of unknown version."""
    version = query.client_jobmon_version[-1] if query.client_jobmon_version else None
    form = list if takes_lists(version) else json.dumps
    found = read_downstream(body.dag_id, body.task_ids)
    return DownstreamReply(
        downstream_tasks={
            str(task_id): (node_id, form(below) if below else None) for task_id, (node_id, below) in found.items()
        }
    )
