"""What may be said about one task at the same time: the module's reports, and the calls about many that reach it."""

from typing import Final

from tests.verification.explore.courses import Request, asked
from tests.verification.explore.starts import ARRAY, INSTANCE, LATER, LATER_RUN, RUN, TASK

SOON: Final = 90
"""Seconds to the next report."""


def about(instance: int) -> dict[str, Request]:
    """The reports about one instance."""

    def claim(process: int, nodename: str) -> Request:
        who = {"nodename": nodename, "process_group_id": process}
        return asked("log_running", instance, **who, next_report_increment=SOON)

    def failure(error_state: str) -> Request:
        said = {"error_state": error_state, "error_description": "boom", "nodename": "node"}
        return asked("log_error_worker_node", instance, **said)

    def triage(route: str, error_state: str) -> Request:
        return asked(route, instance, error_state=error_state, error_message=f"triage: {error_state}")

    return {
        "log_running": claim(1, "node"),
        "log_running of a rival": claim(2, "rival"),
        "log_report_by": asked("log_report_by", instance, next_report_increment=SOON, stdout="/out/1"),
        "log_done": asked("log_done", instance, nodename="node", stdout_log="fine"),
        **{f"log_error_worker_node {error_state}": failure(error_state) for error_state in "EZF"},
        "log_known_error Z": triage("log_known_error", "Z"),
        "log_known_error E": triage("log_known_error", "E"),
        "log_unknown_error U": triage("log_unknown_error", "U"),
        "log_distributor_id": asked("log_distributor_id", instance, distributor_id="8", next_report_increment=SOON),
        "log_no_distributor_id": asked("log_no_distributor_id", instance, no_id_err_msg="none came"),
        "get_task_instance": asked("get_task_instance", instance),
        "task_instance_error_log": asked("task_instance_error_log", instance),
        "log_report_by_batch": asked("log_report_by_batch", task_instance_ids=[instance], next_report_increment=SOON),
        "instantiate_task_instances": asked("instantiate_task_instances", task_instance_ids=[instance]),
        "array_log_distributor_id": asked("array_log_distributor_id", ARRAY, **{str(instance): "9"}),
    }


def _binding(*, reset_if_running: bool) -> Request:
    row = [1, "hash", ARRAY, 1, "t", "other command", 3, reset_if_running]
    return asked("bind_tasks_no_args", workflow_id=1, tasks={"t": row})


def _about_run(run: int) -> dict[str, Request]:
    def poll(status: str, *listed: int) -> Request:
        return asked("sync_status", run, task_instance_ids=listed, status=status)

    return {
        "set_status_for_triaging": asked("set_status_for_triaging", run),
        "terminate_task_instances": asked("terminate_task_instances", run),
        "sync_status Q": poll("Q"),
        "sync_status R": poll("R", INSTANCE, LATER),
        "sync_status T": poll("T"),
    }


def _about_batch(number: int) -> dict[str, Request]:
    batch = {"batch_number": number}
    return {
        "transition_to_launched": asked("transition_to_launched", ARRAY, **batch, next_report_increment=SOON),
        "transition_to_killed": asked("transition_to_killed", ARRAY, **batch),
    }


ABOUT_TASK: Final = {
    "queue_task_batch": asked("queue_task_batch", ARRAY, task_ids=[TASK], task_resources_id=1, workflow_run_id=RUN),
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
