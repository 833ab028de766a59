"""Every request that the cluster's programs send, as Jobmon's programs send it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

QUEUE_ID: Final = 1


class Request(NamedTuple):
    """One request."""

    method: str
    path: str
    """Without the prefix that all routes have."""
    body: Any = None


def bind_resources(requested: Mapping[str, Any], queue_id: int = QUEUE_ID) -> Request:
    """Bind what a task asks of the cluster."""
    return Request("POST", "/task/bind_resources", {"queue_id": queue_id, "requested_resources": requested})


def bind_tool(name: str) -> Request:
    """Bind a tool."""
    return Request("POST", "/tool", {"name": name})


def tool_versions(tool_id: int) -> Request:
    """List a tool's versions."""
    return Request("GET", f"/tool/{tool_id}/tool_versions")


def bind_template(tool_version_id: int, name: str) -> Request:
    """Bind a task template."""
    return Request("POST", "/task_template", {"tool_version_id": tool_version_id, "task_template_name": name})


def add_version(
    task_template_id: int, command: str, node_args: Sequence[str] = (), task_args: Sequence[str] = ()
) -> Request:
    """Bind a version of a task template."""
    arguments = {"node_args": node_args, "task_args": task_args, "op_args": []}
    body = {"command_template": command, "arg_mapping_hash": "1", **arguments}
    return Request("POST", f"/task_template/{task_template_id}/add_version", body)


def bind_nodes(template_version_id: int, numbers: Iterable[int]) -> Request:
    """Give nodes their ids, 500 at most."""
    node = {"task_template_version_id": template_version_id, "node_args": {}}
    return Request("POST", "/nodes", {"nodes": [{**node, "node_args_hash": str(number)} for number in numbers]})


def bind_dag(dag_hash: int) -> Request:
    """Bind a DAG."""
    return Request("POST", "/dag", {"dag_hash": dag_hash})


def bind_workflow(name: str, args_hash: int, tool_version_id: int, dag_id: int, **more: Any) -> Request:
    """Bind a workflow, or find it again by the hash of its arguments."""
    told = {"name": name, "description": "", "workflow_args": str(args_hash), "workflow_attributes": {}}
    bound = {
        "tool_version_id": tool_version_id,
        "dag_id": dag_id,
        "workflow_args_hash": args_hash,
        "task_hash": 1,
    }
    return Request("POST", "/workflow", {**bound, **told, "max_concurrently_running": 10_000, **more})


def create_array(workflow_id: int, name: str, template_version_id: int = 1, most_at_once: int = 50_000) -> Request:
    """Create an array, or find it again."""
    body = {"workflow_id": workflow_id, "task_template_version_id": template_version_id, "name": name}
    return Request("POST", "/array", {**body, "max_concurrently_running": most_at_once})


def task(
    node_id: int,
    array_id: int,
    resources_id: int,
    command: str,
    max_attempts: int = 3,
    *,
    name: str | None = None,
    start_over: bool = False,
) -> list[Any]:
    """Describe a task, for bind_tasks. start_over: reset it even if it runs."""
    told = [name or f"t{node_id}", command, max_attempts, start_over, {}, []]
    return [node_id, f"args of {array_id}", array_id, resources_id, *told]


def bind_tasks(workflow_id: int, tasks: Iterable[list[Any]]) -> Request:
    """Bind tasks, 500 at most."""
    rows = {str(task[0]): task for task in tasks}
    return Request("PUT", "/task/bind_tasks_no_args", {"workflow_id": workflow_id, "mark_created": True, "tasks": rows})


def create_run(workflow_id: int, increment: float, user: str = "somebody") -> Request:
    """Create a workflow run."""
    body = {"workflow_id": workflow_id, "user": user, "jobmon_version": "3.6.0"}
    return Request("POST", "/workflow_run", {**body, "next_report_increment": increment})


def set_resume(workflow_id: int, *, cold: bool) -> Request:
    """Ask the run that holds a workflow to end for another one."""
    return Request("POST", f"/workflow/{workflow_id}/set_resume", {"reset_running_jobs": cold})


def start_over(workflow_id: int) -> Request:
    """Let all tasks that are not done start over."""
    return Request("POST", f"/task/{workflow_id}/set_resume_state", {"reset_if_running": True})


def move_run(run_id: int, status: str) -> Request:
    """Give a run a new status."""
    return _of_run("PUT", run_id, "update_status", {"status": status})


def beat_run(run_id: int, increment: float, status: str = "R") -> Request:
    """Report that a run's client lives."""
    return _of_run("POST", run_id, "log_heartbeat", {"status": status, "next_report_increment": increment})


def sweep(run_id: int) -> Request:
    """Send overdue instances to triage."""
    return _of_run("POST", run_id, "set_status_for_triaging", {})


def terminate(run_id: int) -> Request:
    """Stop the instances of a run that is resumed."""
    return _of_run("PUT", run_id, "terminate_task_instances")


def poll(run_id: int, status: str, known: Iterable[int] = ()) -> Request:
    """Ask which instances have come to a status, and which of the known ones have another."""
    return _of_run("POST", run_id, "sync_status", {"task_instance_ids": list(known), "status": status})


def poll_workflow(workflow_id: int, last_sync: str | None = None) -> Request:
    """Ask, as the client does, which of its tasks have come to an end, or wait for their next attempt, since a time.

    Without one, ask for the status of each task.
    """
    since = {} if last_sync is None else {"last_sync": last_sync}
    return Request("POST", f"/workflow/{workflow_id}/task_status_updates", since)


def queue(array_id: int, task_ids: Sequence[int], resources_id: int, run_id: int) -> Request:
    """Queue the next attempt at each task; the reply lists the tasks by status."""
    body = {"task_ids": task_ids, "task_resources_id": resources_id, "workflow_run_id": run_id}
    return Request("POST", f"/array/{array_id}/queue_task_batch", body)


def instantiate(instance_ids: Sequence[int]) -> Request:
    """Take queued instances; the reply lists them by batch."""
    return Request("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": instance_ids})


def launch(array_id: int, batch_num: int, increment: float) -> Request:
    """Launch a batch."""
    body = {"batch_number": batch_num, "next_report_increment": increment}
    return Request("POST", f"/array/{array_id}/transition_to_launched", body)


def log_distributor_ids(array_id: int, distributor_ids: Mapping[int, str]) -> Request:
    """Store the ids that the cluster gave."""
    given = {str(instance_id): given for instance_id, given in distributor_ids.items()}
    return Request("POST", f"/array/{array_id}/log_distributor_id", given)


def kill(array_id: int, batch_num: int) -> Request:
    """End a batch's instances that a resume stopped."""
    return Request("POST", f"/array/{array_id}/transition_to_killed", {"batch_number": batch_num})


def beat_launched(instance_ids: Sequence[int], increment: float) -> Request:
    """Report that instances still wait on the cluster."""
    body = {"task_instance_ids": instance_ids, "next_report_increment": increment}
    return Request("POST", "/task_instance/log_report_by/batch", body)


def log_distributor_id(instance_id: int, distributor_id: str, increment: float) -> Request:
    """Launch one instance."""
    body = {"distributor_id": distributor_id, "next_report_increment": increment}
    return _report(instance_id, "log_distributor_id", body)


def log_no_distributor_id(instance_id: int, why: str) -> Request:
    """Report that the cluster refused an instance."""
    return _report(instance_id, "log_no_distributor_id", {"no_id_err_msg": why})


def log_triaged(instance_id: int, end: str, why: str, *, known: bool = False) -> Request:
    """End an instance in triage. known: the cluster knows the cause."""
    route = "log_known_error" if known else "log_unknown_error"
    return _report(instance_id, route, {"error_state": end, "error_message": why})


def find_instance(array_id: int, batch_num: int, step: int) -> Request:
    """Find the instance at a step."""
    return Request("GET", f"/get_array_task_instance_id/{array_id}/{batch_num}/{step}")


def log_running(instance_id: int, node: str, pid: int, increment: float, **more: str) -> Request:
    """Claim an instance."""
    body = {"nodename": node, "process_group_id": pid, "next_report_increment": increment}
    return _report(instance_id, "log_running", {**body, **more})


def log_report_by(instance_id: int, increment: float, **more: str) -> Request:
    """Send a worker's heartbeat."""
    return _report(instance_id, "log_report_by", {"next_report_increment": increment, **more})


def log_done(instance_id: int, node: str, **more: str) -> Request:
    """Report that the command succeeded."""
    return _report(instance_id, "log_done", {"nodename": node, **more})


def log_error(instance_id: int, node: str, end: str, why: str, **more: str) -> Request:
    """Report that the command failed."""
    body = {"nodename": node, "error_state": end, "error_description": why}
    return _report(instance_id, "log_error_worker_node", {**body, **more})


def live(instance_id: int, heartbeats: int, increment: float) -> Iterator[Request]:
    """Yield the reports of a worker whose command succeeds."""
    yield log_running(instance_id, "node-1", 4711, increment)
    for _ in range(heartbeats):
        yield log_report_by(instance_id, increment)
    yield log_done(instance_id, "node-1", stdout="/logs/out", stderr="/logs/err", stdout_log="", stderr_log="")


def get_instance(instance_id: int) -> Request:
    """Read an instance and its task."""
    return Request("GET", f"/task_instance/{instance_id}")


def get_errors(instance_id: int) -> Request:
    """Read an instance's error entries."""
    return Request("GET", f"/task_instance/{instance_id}/task_instance_error_log")


def _report(instance_id: int, route: str, body: Mapping[str, Any]) -> Request:
    return Request("POST", f"/task_instance/{instance_id}/{route}", body)


def _of_run(method: str, run_id: int, route: str, body: Any = None) -> Request:
    return Request(method, f"/workflow_run/{run_id}/{route}", body)
