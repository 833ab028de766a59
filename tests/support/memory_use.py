"""What each route holds in memory at most: docs/sizes.md shows it, tests/routes/test_memory_use.py measures it."""

from collections.abc import Iterator
from typing import Final, NamedTuple


class Use(NamedTuple):
    """What the largest call of a route holds, beside what its function holds that waits."""

    megabytes: int
    """At most."""
    of: str
    """What is asked for, and what is stored."""
    no_more: tuple[str, ...] = ()
    """The routes that hold no more, because they hold the same items, or fewer."""
    times: int = 1
    """What is measured is one part of so many."""


MOST_MB: Final = 512
"""What a call may take with its function, also where the function has more."""
FUNCTION_MB: Final = 65
"""What a function takes before its first call (decision 18)."""
USES: Final = {
    "log_error_worker_node": Use(
        25,
        "a body of 4.6 MB",
        (
            "show_page",
            "health",
            "get_time",
            "log_running",
            "log_report_by",
            "log_done",
            "log_distributor_id",
            "log_no_distributor_id",
            "log_known_error",
            "log_unknown_error",
            "get_task_instance",
            "bind_tool",
            "get_tool_versions",
            "create_tool_version",
            "bind_task_template",
            "add_task_template_version",
            "bind_resources",
            "get_task_resources",
            "create_array",
            "get_array_task_instance_id",
            "bind_dag",
            "get_array_limit",
            "bind_workflow",
            "set_workflow_attributes",
            "get_workflow_limit",
            "fetch_workflow_metadata",
            "show_task",
            "show_run",
            "get_cluster",
            "get_queue",
        ),
    ),
    "task_instance_error_log": Use(
        130, "9 MB of entries and 8 MB of long texts, all control characters", ("most_recent_ti_error",)
    ),
    "get_task_template_versions": Use(
        25, "9 MB of versions, all control characters", ("get_task_templates", "get_matching_workflows")
    ),
    "get_tasks": Use(105, "1,000 long specifications, each with its own set of resources of 60 kB"),
    "increase_resources": Use(
        150, "a group of 500 tasks that failed, each with its own set of resources of 60 kB", times=5
    ),
    "bind_tasks_no_args": Use(
        110, "10,000 tasks, each of its own array, and 1,000 sets of resources of 60 kB", ("bind_nodes",)
    ),
    "bind_task_attributes": Use(110, "50,000 attributes", ("bind_task_args",), times=10),
    "add_edges": Use(115, "1,001 lists of 241 nodes, where lists of 47,000 are stored"),
    "get_downstream_tasks": Use(60, "10,000 tasks of nodes with 266 neighbours, 26 of them below", times=5),
    "task_status_updates": Use(115, "350,000 changes told", times=10),
    "sync_status": Use(
        85,
        "240,000 instances listed, 10,000 of them read",
        (
            "instantiate_task_instances",
            "log_report_by_batch",
            "array_log_distributor_id",
            "queue_task_batch",
            "show_workflow",
        ),
    ),
    "is_resumable": Use(
        160,
        "500,000 instances in KILL_SELF of 50 runs",
        ("set_resume", "set_resume_state", "force_cleanup_kill_self", "create_workflow_run"),
        times=25,
    ),
    "set_status_for_triaging": Use(
        85,
        "100 batches of 390,000 steps, all of them due",
        (
            "terminate_task_instances",
            "update_workflow_run_status",
            "log_workflow_run_heartbeat",
            "transition_to_launched",
            "transition_to_killed",
        ),
    ),
    "list_array_tasks": Use(55, "a batch of 390,000 steps, all under way", ("list_workflows",)),
}


def of_memory() -> Iterator[str]:
    """Yield what the largest calls hold, and which routes hold no more."""
    yield "| route | a call with, or on | MB at most | these hold no more |"
    yield "|---|---|--:|---|"
    for name, use in USES.items():
        others = ", ".join(f"`{other}`" for other in use.no_more)
        yield f"| `{name}` | {use.of} | {use.megabytes} | {others} |"
