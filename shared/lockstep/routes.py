"""The API's table of contents: a row a route. Every other place that spells a path is tested against it.

`functions/<aggregate>/<name>/app.py` serves a row. template.yaml, the authorizer's policy, the scope check, the local
gateway, docs/openapi.json and the README agree with these rows by generation or by test. docs/adding-a-route.md says
how to add one.
"""

import re
from functools import cache
from typing import Final, NamedTuple

from lockstep.access.scopes import Scope
from lockstep.clock import BUDGET_SECONDS, BULK_BUDGET_SECONDS

BASE_PATH: Final = "/api/v3"
"""The beginning of every path of the API. The page's path has none."""
_REPORTS_OF_WORKERS: Final = frozenset({"log_report_by", "log_done", "log_error_worker_node"})
"""The reports of a worker node that runs its command."""
_GETS_THAT_END: Final = frozenset({"is_resumable"})
"""Jobmon's GETs that end runs and stop instances."""
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


@cache
def _compiled(resource: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", resource.rstrip("/")) + "/?")


class Route(NamedTuple):
    """A method and a path, the function that serves them, who may call it, and how long it may take."""

    aggregate: str
    name: str
    """Unique: the function's folder, its events in events/ and its operation in docs/openapi.json are named by it."""
    method: str
    path: str
    """Below `base`, with parameters in braces."""
    scope: Scope
    """The least scope that may call it."""
    summary: str
    budget: float
    """Seconds after which no call of DynamoDB begins: BULK for a route that works on many instances."""
    base: str = BASE_PATH
    """The beginning of its path."""

    @property
    def resource(self) -> str:
        """The whole path, as API Gateway names a resource.

        >>> route("log_done").resource
        '/api/v3/task_instance/{task_instance_id}/log_done'
        """
        return self.base + self.path

    @property
    def folder(self) -> str:
        """The function's folder below functions/.

        >>> route("log_done").folder
        'task_instance/log_done'
        """
        return f"{self.aggregate}/{self.name}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path's parameters.

        >>> route("log_done").parameters
        ('task_instance_id',)
        """
        return tuple(_PARAMETER.findall(self.path))

    @property
    def wildcard(self) -> str:
        """The whole path with * for each parameter. In IAM's sense * spans slashes too: each function checks exactly.

        >>> route("log_done").wildcard
        '/api/v3/task_instance/*/log_done'
        """
        return _PARAMETER.sub("*", self.resource)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches whole paths of this route; its groups are the parameters."""
        return _compiled(self.resource)

    def may_be_called_by(self, scope: Scope, *, expired: bool = False) -> bool:
        """Whether a token of this scope opens the route. A reader may call every GET that ends nothing.

        A worker's token that has expired opens what a worker node reports while it runs: functions hold it against what
        it has claimed.

        >>> route("log_done").may_be_called_by(Scope.DISTRIBUTOR), route("log_done").may_be_called_by(Scope.READER)
        (True, False)
        """
        if expired:
            return scope is Scope.WORKER and self.name in _REPORTS_OF_WORKERS
        return scope.includes(self.scope) or (
            scope is Scope.READER and self.method == "GET" and self.name not in _GETS_THAT_END
        )


def _row(
    scope: Scope, call: str, folder: str, summary: str, budget: float = BUDGET_SECONDS, base: str = BASE_PATH
) -> Route:
    method, path = call.split(" ")
    aggregate, name = folder.split("/")
    return Route(aggregate, name, method, path, scope, summary, budget, base)


READER, WORKER, DISTRIBUTOR, OPERATOR = Scope.READER, Scope.WORKER, Scope.DISTRIBUTOR, Scope.OPERATOR
BULK: Final = BULK_BUDGET_SECONDS

# fmt: off
ROUTES: Final = (
    _row(READER, "GET /",
         "page/show_page", "Show workflows, tasks and attempts in a browser.", base=""),

    _row(WORKER, "GET /health",
         "api/health", "Say that the API answers."),

    _row(WORKER, "GET /time",
         "api/get_time", "Tell the time."),

    _row(WORKER, "POST /task_instance/{task_instance_id}/log_running",
         "task_instance/log_running", "The worker node starts."),
    _row(WORKER, "POST /task_instance/{task_instance_id}/log_report_by",
         "task_instance/log_report_by", "The worker node sends a heartbeat."),
    _row(WORKER, "POST /task_instance/{task_instance_id}/log_done",
         "task_instance/log_done", "The command finished."),
    _row(WORKER, "POST /task_instance/{task_instance_id}/log_error_worker_node",
         "task_instance/log_error_worker_node", "The command failed."),
    _row(DISTRIBUTOR, "POST /task_instance/instantiate_task_instances",
         "task_instance/instantiate_task_instances", "The distributor takes queued instances.", BULK),
    _row(DISTRIBUTOR, "POST /task_instance/{task_instance_id}/log_distributor_id",
         "task_instance/log_distributor_id", "The cluster accepted the submission."),
    _row(DISTRIBUTOR, "POST /task_instance/{task_instance_id}/log_no_distributor_id",
         "task_instance/log_no_distributor_id", "The submission gave no distributor id."),
    _row(DISTRIBUTOR, "POST /task_instance/log_report_by/batch",
         "task_instance/log_report_by_batch", "The distributor sends a heartbeat for many instances.", BULK),
    _row(DISTRIBUTOR, "POST /task_instance/{task_instance_id}/log_known_error",
         "task_instance/log_known_error", "Triage found the cause of a failure."),
    _row(DISTRIBUTOR, "POST /task_instance/{task_instance_id}/log_unknown_error",
         "task_instance/log_unknown_error", "Triage found no cause of a failure."),
    _row(DISTRIBUTOR, "GET /task_instance/{task_instance_id}/task_instance_error_log",
         "task_instance/task_instance_error_log", "List an instance's error entries."),
    _row(READER, "GET /task_instance/{task_instance_id}",
         "task_instance/get_task_instance", "Show an instance and its task."),

    _row(OPERATOR, "POST /tool",
         "tool/bind_tool", "Find or create a tool."),
    _row(READER, "GET /tool/{tool_id}/tool_versions",
         "tool/get_tool_versions", "List a tool's versions."),
    _row(OPERATOR, "POST /tool_version",
         "tool/create_tool_version", "Make another version of a tool."),

    _row(READER, "GET /tool_version/{tool_version_id}/task_templates",
         "task_template/get_task_templates", "List the task templates of a tool version."),
    _row(OPERATOR, "POST /task_template",
         "task_template/bind_task_template", "Find or create a task template."),
    _row(READER, "GET /task_template/{task_template_id}/versions",
         "task_template/get_task_template_versions", "List a task template's versions."),
    _row(OPERATOR, "POST /task_template/{task_template_id}/add_version",
         "task_template/add_task_template_version", "Find or create a version of a task template."),

    _row(OPERATOR, "PUT /task/bind_tasks_no_args",
         "task/bind_tasks_no_args", "Create tasks, or start over those that a workflow already has.", BULK),
    _row(OPERATOR, "POST /task/bind_resources",
         "task/bind_resources", "Store what a task asks of the cluster."),
    _row(DISTRIBUTOR, "POST /task_resources/{task_resources_id}",
         "task/get_task_resources", "Show what a task asks of the cluster."),

    _row(OPERATOR, "PUT /task/bind_task_args",
         "task/bind_task_args", "Keep the arguments of tasks.", BULK),
    _row(OPERATOR, "PUT /task/bind_task_attributes",
         "task/bind_task_attributes", "Note attributes of tasks.", BULK),
    _row(OPERATOR, "POST /task/{task_id}/set_resume_state",
         "task/set_resume_state", "Let the tasks of a workflow that are not done start over.", BULK),
    _row(READER, "GET /task/{task_id}/most_recent_ti_error",
         "task/most_recent_ti_error", "Show the newest error of a task."),

    _row(OPERATOR, "POST /array",
         "array/create_array", "Create an array, or change how many of its tasks may run at once."),
    _row(OPERATOR, "POST /array/{array_id}/queue_task_batch",
         "array/queue_task_batch", "Give tasks their next attempt.", BULK),
    _row(DISTRIBUTOR, "POST /array/{array_id}/transition_to_launched",
         "array/transition_to_launched", "The cluster accepted a whole batch.", BULK),
    _row(DISTRIBUTOR, "POST /array/{array_id}/transition_to_killed",
         "array/transition_to_killed", "The cluster killed what it was told to kill.", BULK),
    _row(DISTRIBUTOR, "POST /array/{array_id}/log_distributor_id",
         "array/array_log_distributor_id", "Store the ids that the cluster gave a batch.", BULK),
    _row(WORKER, "GET /get_array_task_instance_id/{array_id}/{batch_num}/{step_id}",
         "array/get_array_task_instance_id", "Find the instance that a worker node is to run."),

    _row(OPERATOR, "POST /nodes",
         "dag/bind_nodes", "Give nodes their ids, and store their arguments.", BULK),
    _row(OPERATOR, "POST /dag",
         "dag/bind_dag", "Find or create a DAG."),
    _row(OPERATOR, "POST /dag/{dag_id}/edges",
         "dag/add_edges", "Store the neighbours of a DAG's nodes.", BULK),
    _row(OPERATOR, "POST /task/get_downstream_tasks",
         "dag/get_downstream_tasks", "List the nodes that wait for tasks.", BULK),

    _row(READER, "GET /array/{array_id}/get_array_max_concurrently_running",
         "array/get_array_limit", "Show how many of an array's tasks may run at once."),

    _row(READER, "GET /workflow/{workflow_id}",
         "workflow/get_matching_workflows", "List the workflows with the same arguments."),
    _row(OPERATOR, "POST /workflow",
         "workflow/bind_workflow", "Create a workflow, or find it again by its tool version, tasks and arguments."),
    _row(OPERATOR, "PUT /workflow/{workflow_id}/workflow_attributes",
         "workflow/set_workflow_attributes", "Note attributes of a workflow."),
    _row(READER, "GET /workflow/{workflow_id}/get_max_concurrently_running",
         "workflow/get_workflow_limit", "Show how many of a workflow's tasks may run at once."),
    _row(OPERATOR, "POST /workflow/{workflow_id}/task_status_updates",
         "workflow/task_status_updates", "A run's client polls for what became of its tasks.", BULK),
    _row(OPERATOR, "POST /workflow/{workflow_id}/set_resume",
         "workflow/set_resume", "Ask the run that holds a workflow to end, so that another one may begin.", BULK),
    _row(OPERATOR, "GET /workflow/{workflow_id}/is_resumable",
         "workflow/is_resumable", "Say whether another run of a workflow may be linked.", BULK),
    _row(OPERATOR, "POST /workflow/{workflow_id}/force_cleanup_kill_self",
         "workflow/force_cleanup_kill_self",
         "End what earlier runs of a workflow left in KILL_SELF, and the runs that end for a resume.", BULK),
    _row(READER, "GET /workflow/{workflow_id}/fetch_workflow_metadata",
         "workflow/fetch_workflow_metadata", "Show a workflow's dag and limit."),
    _row(READER, "GET /workflow/get_tasks/{workflow_id}",
         "workflow/get_tasks", "List the tasks of a workflow that are not done, page by page.", BULK),
    _row(OPERATOR, "POST /workflow/{workflow_id}/increase_resources",
         "workflow/increase_resources",
         "Give more resources to the tasks of a workflow that failed for want of them.", BULK),

    _row(READER, "GET /workflows",
         "workflow/list_workflows", "List the workflows, newest first, page by page.", BULK),
    _row(READER, "GET /workflows/{workflow_id}",
         "workflow/show_workflow", "Show a workflow: its runs, and its arrays with their tasks by status.", BULK),
    _row(READER, "GET /arrays/{array_id}/tasks",
         "array/list_array_tasks", "List the tasks of an array, page by page: all, or those in a status.", BULK),
    _row(READER, "GET /tasks/{task_id}",
         "task/show_task", "Show a task with its attempts, and why each is in its status."),
    _row(READER, "GET /workflow_runs/{workflow_run_id}",
         "workflow_run/show_run", "Show a workflow run."),

    _row(OPERATOR, "POST /workflow_run",
         "workflow_run/create_workflow_run", "A client begins to run a workflow.", BULK),
    _row(DISTRIBUTOR, "PUT /workflow_run/{workflow_run_id}/update_status",
         "workflow_run/update_workflow_run_status", "A client or a distributor moves a run.", BULK),
    _row(DISTRIBUTOR, "POST /workflow_run/{workflow_run_id}/log_heartbeat",
         "workflow_run/log_workflow_run_heartbeat", "A run's client sends a heartbeat.", BULK),
    _row(DISTRIBUTOR, "POST /workflow_run/{workflow_run_id}/sync_status",
         "workflow_run/sync_status", "The distributor polls for what became of its instances.", BULK),
    _row(DISTRIBUTOR, "POST /workflow_run/{workflow_run_id}/set_status_for_triaging",
         "workflow_run/set_status_for_triaging", "Sweep a run for instances that fell silent.", BULK),
    _row(OPERATOR, "PUT /workflow_run/{workflow_run_id}/terminate_task_instances",
         "workflow_run/terminate_task_instances", "A resume ends a run's instances.", BULK),

    _row(WORKER, "GET /cluster/{cluster_name}",
         "cluster/get_cluster", "Show which plugin a cluster needs."),
    _row(READER, "GET /cluster/{cluster_name}/queue/{queue_name}",
         "cluster/get_queue", "Show a queue of a cluster, and its limits."),
)
# fmt: on
_BY_NAME: Final = {route.name: route for route in ROUTES}


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a call and its path's parameters, as API Gateway chooses it: a literal part goes before a parameter.

    >>> found = find("POST", "/api/v3/task_instance/log_report_by/batch")
    >>> found and found[0].name
    'log_report_by_batch'
    """
    for row in sorted(ROUTES, key=lambda row: len(row.parameters)):
        match = row.pattern.fullmatch(path)
        if match and row.method == method:
            return row, match.groupdict()
    return None


def route(name: str) -> Route:
    """The row of a name.

    Raises:
        KeyError: no row has it.
    """
    return _BY_NAME[name]
