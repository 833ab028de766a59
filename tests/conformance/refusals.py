"""What Lockstep says of a request of the state machine that it refuses.

Of a 422: the fields that it names; of a 400 or a 404: the detail.
"""

from typing import Any, Final

Case = dict[str, Any]

NO_JSON: Final = {"empty-body", "not-json", "truncated-json", "invalid-utf8"}
REQUIRED: Final = {
    "instantiate_task_instances": ["task_instance_ids"],
    "log_error_worker_node": ["error_state", "error_description"],
    "log_known_error": ["error_state", "error_message"],
    "log_no_distributor_id": ["no_id_err_msg"],
    "log_report_by": ["next_report_increment"],
    "log_report_by_batch": ["task_instance_ids", "next_report_increment"],
    "log_running": ["process_group_id", "next_report_increment"],
    "log_unknown_error": ["error_state", "error_message"],
    "queue_task_batch": ["task_ids", "task_resources_id", "workflow_run_id"],
    "transition_to_killed": ["batch_number"],
    "transition_to_launched": ["batch_number", "next_report_increment"],
}
"""The fields that a body must have, by route."""
NO_FIELDS: Final = {"empty-object", "nan", "null"}
"""Bodies that have none of them; NaN and null stand for the first one."""
FIELDS: Final = {
    "batch-null": "batch_number",
    "batch-text": "batch_number",
    "no-batch": "batch_number",
    "dist-list": "distributor_id",
    "dist-null": "distributor_id",
    "no-distributor-id": "distributor_id",
    "empty-no-increment": "next_report_increment",
    "inc-list": "next_report_increment",
    "inc-null": "next_report_increment",
    "no-increment": "next_report_increment",
    "wrong-batch-no-increment": "next_report_increment",
    "no-error-state": "error_state",
    "missing-list": "task_instance_ids",
    "null-in-ids": "task_instance_ids.1",
    "no-process-group": "process_group_id",
    "no-resources": "task_resources_id",
    "no-task-ids": "task_ids",
    "no-wfr": "workflow_run_id",
    "node-list": "nodename",
    "stdout-dict": "stdout",
}
"""By what an edge case is about."""
MESSAGES: Final = {"message-list", "message-null", "no-message", "null-message", "dict-message"}


def label(case: Case) -> str:
    """What an edge case is about; empty for a case of the state grid."""
    return str(case["case_id"].split("/")[2]) if case["group"] == "edge" else ""


def refusal(case: Case, http: int) -> Any:
    """What is said of a refused request; None of a method that there is not."""
    if http == 404:
        return what_is_not_there(case)
    if http == 400:
        why = case["response_json"]["error"]["exception_message"]  # both read it by Python's own module
        return f"the body is not JSON: {why}"
    return _fields(case) if http == 422 else None


def recorded_fields(case: Case) -> list[str]:
    """The fields that a recorded 422 names."""
    return [error["loc"][-1] for error in case["response_json"]["detail"]]


def what_is_not_there(case: Case) -> str:
    """The detail of a 404."""
    if case["route"] == "get_array_task_instance_id":
        array, batch, step = case["path"].split("/")[-3:]
        return f"array {array} has no step {step} in batch {batch}"
    return f"task instance {case['path'].split('/')[4]} does not exist"


def _fields(case: Case) -> list[str]:
    about, route = label(case), case["route"]
    if about in FIELDS:
        return [FIELDS[about]]
    if about in MESSAGES:
        return [REQUIRED[route][-1]]
    if about in NO_FIELDS:
        return REQUIRED[route]
    return ["body"] if "-body" in about else ["error_state"]
