"""Who may call which route. A scope may do all that the one before it may, and its own."""

import re
from enum import StrEnum
from functools import cache
from typing import Final


class Scope(StrEnum):
    """What a token is for."""

    WORKER = "worker"
    DISTRIBUTOR = "distributor"
    OPERATOR = "operator"


API: Final = "/api/v3"
_OWN: Final = {
    Scope.WORKER: (
        "GET /health",
        "GET /cluster/*",
        "GET /get_array_task_instance_id/*/*/*",
        "POST /task_instance/*/log_running",
        "POST /task_instance/*/log_report_by",
        "POST /task_instance/*/log_done",
        "POST /task_instance/*/log_error_worker_node",
    ),
    Scope.DISTRIBUTOR: (
        "POST /task_resources/*",
        "POST /task_instance/instantiate_task_instances",
        "POST /task_instance/log_report_by/batch",
        "POST /task_instance/*/log_distributor_id",
        "POST /task_instance/*/log_no_distributor_id",
        "POST /task_instance/*/log_known_error",
        "POST /task_instance/*/log_unknown_error",
        "GET /task_instance/*/task_instance_error_log",
        "POST /array/*/transition_to_launched",
        "POST /array/*/transition_to_killed",
        "POST /array/*/log_distributor_id",
        "POST /workflow_run/*/sync_status",
        "POST /workflow_run/*/set_status_for_triaging",
        "POST /workflow_run/*/log_heartbeat",
        "PUT /workflow_run/*/update_status",
    ),
    Scope.OPERATOR: (
        "POST /array",
        "POST /array/*/queue_task_batch",
        "PUT /task/bind_tasks_no_args",
        "POST /task/bind_resources",
        "POST /workflow_run",
        "PUT /workflow_run/*/terminate_task_instances",
        "GET /task_instance/*",
    ),
}


def allowed(scope: Scope) -> list[str]:
    """What a scope may call: a method and a path below API with * for what varies. In IAM's sense * spans slashes too.

    >>> "POST /task_instance/*/log_done" in allowed(Scope.DISTRIBUTOR)
    True
    """
    upto = list(Scope)[: list(Scope).index(scope) + 1]
    return [route for each in upto for route in _OWN[each]]


@cache
def may_call(scope: Scope, method: str, resource: str) -> bool:
    """Whether a scope may call a route of the API, by its path with parameters in braces.

    >>> may_call(Scope.WORKER, "GET", "/api/v3/task_instance/{task_instance_id}")
    False
    """
    return f"{method} {_PARAMETER.sub('*', resource.removeprefix(API))}" in allowed(scope)


_PARAMETER: Final = re.compile(r"\{\w+\}")
