"""No reply hands out what no request may hand back: each field of each request, given the largest that a reply tells.

The replies are the largest ones of the contracts. A field that no reply tells is the caller's own.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import pytest
from pydantic import BaseModel

from lockstep import clock
from lockstep.array.pages import Position
from lockstep.dynamodb.item import MAX_ID
from lockstep.errors import InvalidError
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.http.fields import MAX_NODES_PER_CALL, MAX_TASKS_PER_CALL
from lockstep.http.reply import as_json
from lockstep.http.request import parse_body, parse_path, parse_query
from lockstep.routes import ROUTES
from tests.support.contract import contract_of, models
from tests.support.every import is_listed
from tests.support.largest import LARGEST_VERSION

LARGEST_COUNT: Final = 2**31 - 1
LAST_STEP: Final = 99_999
"""Of a batch that only a seed makes."""
TOLD: Final[Mapping[str, Any]] = {
    route.name: json.loads(as_json(largest))
    for route in ROUTES
    if isinstance(largest := contract_of(route.name).largest, BaseModel)
}
"""The largest reply of each route."""
NODE: Final = max(TOLD["bind_nodes"]["nodes"].values())
ARGUMENT: Final = max(LARGEST_VERSION[5].values())
INSTANCES: Final = TOLD["sync_status"]["status_updates"]["Q"]
TASKS: Final = TOLD["queue_task_batch"]["tasks_by_status"]["Q"]
SHOWN: Final = TOLD["show_workflow"]
ROW: Final = [NODE, "9" * 78, MAX_ID, MAX_ID, "t", "true", 3, False, {}, []]
"""A task to bind."""
HANDED: Final[Mapping[str, tuple[Any, ...]]] = {
    **dict.fromkeys(
        (
            "array_id",
            "max_task_id",
            "queue_id",
            "task_id",
            "task_instance_id",
            "task_resources_id",
            "task_template_id",
            "task_template_version_id",
            "tool_id",
            "tool_version_id",
            "workflow_id",
            "workflow_run_id",
        ),
        (MAX_ID,),
    ),
    "arg_mapping_hash": ("9" * 150,),
    "batch_num": (LARGEST_COUNT,),
    "batch_number": (LARGEST_COUNT,),
    "cluster_name": (TOLD["get_cluster"]["cluster"][1],),
    "get_queue.cluster_name": (MAX_ID,),
    "command_template": (LARGEST_VERSION.command_template,),
    "list_workflows.cursor": (TOLD["list_workflows"]["cursor"],),
    "list_array_tasks.cursor": (
        str(Position(MAX_ID)),
        str(Position(LARGEST_COUNT, LAST_STEP + 1)),
        str(Position(10**14 - 1, MAX_ID)),
    ),
    "dag_hash": (TOLD["bind_dag"]["dag_id"],),
    "dag_id": (TOLD["bind_dag"]["dag_id"],),
    "description": (SHOWN["description"],),
    "distributor_id": (TOLD["show_task"]["attempts"][0]["distributor_id"],),
    "edges_to_add": (
        [
            {"node_id": NODE, "upstream_node_ids": [NODE], "downstream_node_ids": [NODE]},
        ]
        * MAX_NODES_PER_CALL,
    ),
    "error_state": tuple("EFUZ"),
    "jobmon_version": (TOLD["show_run"]["jobmon_version"],),
    "last_sync": (TOLD["get_time"]["time"], TOLD["task_status_updates"]["time"], clock.iso(0.000001)),
    "max_concurrently_running": (TOLD["get_array_limit"]["max_concurrently_running"],),
    "name": (SHOWN["name"], TOLD["bind_tool"]["tool"][1], TOLD["list_workflows"]["workflows"][0]["name"]),
    "node_args": (LARGEST_VERSION.node_args,),
    "nodename": (TOLD["get_task_instance"]["task_instance"]["nodename"],),
    "nodes": (
        [{"task_template_version_id": MAX_ID, "node_args_hash": "9" * 150, "node_args": {str(ARGUMENT): "x"}}]
        * MAX_NODES_PER_CALL,
    ),
    "op_args": (LARGEST_VERSION.op_args,),
    "process_group_id": (TOLD["get_task_instance"]["task_instance"].get("process_group_id") or 2**63 - 1,),
    "queue_name": (TOLD["get_task_resources"]["queue_name"],),
    "requested_resources": (TOLD["get_task_resources"]["requested_resources"],),
    "root": ({str(number): "7" for number in INSTANCES},),
    "list_workflows.status": ([str(status) for status in WorkflowStatus],),
    "list_array_tasks.status": tuple(map(str, TaskStatus)),
    "sync_status.status": tuple(map(str, TaskInstanceStatus)),
    "status": tuple(map(str, WorkflowRunStatus)),
    "stderr": (TOLD["log_running"]["task_instance"][8],),
    "stderr_log": (TOLD["get_task_instance"]["task_instance"]["stderr_log"],),
    "stdout": (TOLD["log_running"]["task_instance"][7],),
    "stdout_log": (TOLD["get_task_instance"]["task_instance"]["stdout_log"],),
    "step_id": (LAST_STEP,),
    "task_args": (LARGEST_VERSION.task_args,),
    "bind_task_args.task_args": ([[MAX_ID, ARGUMENT, "x"]],),
    "task_attributes": ({str(number): {} for number in TASKS},),
    "task_hash": (TOLD["get_matching_workflows"]["matching_workflows"][0][0],),
    "task_ids": (TASKS,),
    "task_instance_ids": (INSTANCES,),
    "task_template_name": (TOLD["bind_tool"]["tool"][1],),
    "tasks": ({str(number): ROW for number in range(MAX_TASKS_PER_CALL)},),
    "user": (TOLD["show_run"]["user"],),
    "list_workflows.user": ([TOLD["show_run"]["user"], TOLD["list_workflows"]["workflows"][0]["user"]],),
    "workflow_args": (SHOWN["workflow_args"],),
    "workflow_attributes": (SHOWN["attributes"],),
    "get_matching_workflows.workflow_id": ("9" * 150,),
}
"""The largest values that replies tell, by the field of a request that takes them: of a route, or of all."""
OWN: Final = {
    "chunk_size",
    "client_jobmon_version",
    "error_description",
    "error_message",
    "limit",
    "mark_created",
    "next_report_increment",
    "no_id_err_msg",
    "reset_if_running",
    "reset_running_jobs",
    "task_resources_type_id",
    "workflow_args_hash",
}
"""The fields of requests that no reply tells."""


class Field(NamedTuple):
    """A field of a request."""

    route: str
    part: str
    name: str
    model: type[BaseModel]

    def __str__(self) -> str:
        return f"{self.route}.{self.name}"

    @property
    def values(self) -> tuple[Any, ...]:
        return HANDED.get(str(self)) or HANDED.get(self.name, ())

    def is_refused(self, value: Any) -> bool:
        """Other fields are missing, and are named too."""
        try:
            self._parse(value)
        except InvalidError as error:
            return self.name == "root" or any(found.field.split(".")[0] == self.name for found in error.fields)
        return False

    def _parse(self, value: Any) -> None:
        if self.part == "path":
            parse_path({"pathParameters": {self.name: str(value)}}, self.model)
        elif self.part == "query":
            values = value if isinstance(value, list) else [str(value)]
            parse_query({"multiValueQueryStringParameters": {self.name: values}}, self.model)
        else:
            parse_body({"body": json.dumps(value if self.name == "root" else {self.name: value})}, self.model)


def _fields() -> Iterator[Field]:
    for route in ROUTES:
        for part, model in models(route).items():
            for name, field in model.model_fields.items():
                yield Field(route.name, part, field.alias or name, model)


FIELDS: Final = list(_fields())


def test_every_field_of_a_request_is_handed_out_or_the_callers_own() -> None:
    names = {name for field in FIELDS for name in (str(field), field.name)}
    others = {field.name for field in FIELDS if not {str(field), field.name} & HANDED.keys()}
    is_listed(others, OWN, "a new field of a request; add it to OWN, or to HANDED with the largest that a reply tells")
    assert HANDED.keys() <= names


@pytest.mark.parametrize("field", [field for field in FIELDS if field.name not in OWN], ids=str)
def test_what_is_handed_out_may_be_handed_back(field: Field) -> None:
    for value in field.values:
        assert not field.is_refused(value), str(value)[:100]
