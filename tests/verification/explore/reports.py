"""What may be said about one task at the same time: the module's reports, and the calls about many that reach it."""

import json
from typing import Any, Final

from tests.verification.explore.courses import Request
from tests.verification.explore.starts import ARRAY, INSTANCE, LATER, LATER_RUN, RUN, TASK

SOON: Final = 90
"""Seconds to the next report."""


def _report(route: str, instance: int, **body: Any) -> Request:
    return Request("POST", f"/api/v3/task_instance/{instance}/{route}", json.dumps(body))


def _of_run(route: str, run: int, **body: Any) -> Request:
    return Request("POST", f"/api/v3/workflow_run/{run}/{route}", json.dumps(body))


def _of_array(route: str, **body: Any) -> Request:
    return Request("POST", f"/api/v3/array/{ARRAY}/{route}", json.dumps(body))


def about(instance: int) -> dict[str, Request]:
    """The reports about one instance."""
    return {
        "log_running": _report(
            "log_running", instance, nodename="node", process_group_id=1, next_report_increment=SOON
        ),
        "log_running of a rival": _report(
            "log_running", instance, nodename="rival", process_group_id=2, next_report_increment=SOON
        ),
        "log_report_by": _report("log_report_by", instance, next_report_increment=SOON, stdout="/out/1"),
        "log_done": _report("log_done", instance, nodename="node", stdout_log="fine"),
        "log_error_worker_node E": _failure(instance, "E"),
        "log_error_worker_node Z": _failure(instance, "Z"),
        "log_error_worker_node F": _failure(instance, "F"),
        "log_known_error Z": _triage("log_known_error", instance, "Z"),
        "log_known_error E": _triage("log_known_error", instance, "E"),
        "log_unknown_error U": _triage("log_unknown_error", instance, "U"),
        "log_distributor_id": _report("log_distributor_id", instance, distributor_id="8", next_report_increment=SOON),
        "log_no_distributor_id": _report("log_no_distributor_id", instance, no_id_err_msg="none came"),
        "get_task_instance": Request("GET", f"/api/v3/task_instance/{instance}", ""),
        "task_instance_error_log": Request("GET", f"/api/v3/task_instance/{instance}/task_instance_error_log", ""),
        "log_report_by_batch": Request(
            "POST",
            "/api/v3/task_instance/log_report_by/batch",
            json.dumps({"task_instance_ids": [instance], "next_report_increment": SOON}),
        ),
        "instantiate_task_instances": Request(
            "POST",
            "/api/v3/task_instance/instantiate_task_instances",
            json.dumps({"task_instance_ids": [instance]}),
        ),
        "array_log_distributor_id": _of_array("log_distributor_id", **{str(instance): "9"}),
    }


def _failure(instance: int, error_state: str) -> Request:
    return _report(
        "log_error_worker_node", instance, error_state=error_state, error_description="boom", nodename="node"
    )


def _triage(route: str, instance: int, error_state: str) -> Request:
    return _report(route, instance, error_state=error_state, error_message=f"triage: {error_state}")


def _binding(*, reset_if_running: bool) -> Request:
    row = [1, "hash", ARRAY, 1, "t", "other command", 3, reset_if_running]
    body = {"workflow_id": 1, "tasks": {"t": row}}
    return Request("PUT", "/api/v3/task/bind_tasks_no_args", json.dumps(body))


def _about_run(run: int) -> dict[str, Request]:
    return {
        "set_status_for_triaging": _of_run("set_status_for_triaging", run),
        "terminate_task_instances": Request("PUT", f"/api/v3/workflow_run/{run}/terminate_task_instances", "{}"),
        "sync_status Q": _of_run("sync_status", run, task_instance_ids=[], status="Q"),
        "sync_status R": _of_run("sync_status", run, task_instance_ids=[INSTANCE, LATER], status="R"),
        "sync_status T": _of_run("sync_status", run, task_instance_ids=[], status="T"),
    }


def _about_batch(number: int) -> dict[str, Request]:
    return {
        "transition_to_launched": _of_array("transition_to_launched", batch_number=number, next_report_increment=SOON),
        "transition_to_killed": _of_array("transition_to_killed", batch_number=number),
    }


ABOUT_TASK: Final = {
    "queue_task_batch": _of_array("queue_task_batch", task_ids=[TASK], task_resources_id=1, workflow_run_id=RUN),
    "bind_tasks_no_args": _binding(reset_if_running=False),
    "bind_tasks_no_args, reset if running": _binding(reset_if_running=True),
}
EARLIER: Final = about(INSTANCE) | _about_batch(1) | _about_run(RUN)
REPORTS: Final = EARLIER | ABOUT_TASK
"""About a task's one attempt, or its first."""
LATER_ATTEMPT: Final = {
    f"later {name}": report for name, report in (about(LATER) | _about_batch(2) | _about_run(LATER_RUN)).items()
} | ABOUT_TASK
"""About its second, which is of another run: a bulk call about both would be a step for each."""
ALL: Final = REPORTS | LATER_ATTEMPT
