"""What a worker node says of its instance, and the conflicting outcomes of one."""

from dataclasses import dataclass
from typing import Any, Final

from bench.load.client import Client, Reply

RUNNING: Final = "R"
DONE: Final = "D"
NO_SURPRISE: Final = {"next_report_increment": 300}
"""Seconds: far more than the benchmark takes, so that no heartbeat is ever late."""


def log_running(client: Client, task_instance_id: int) -> Reply:
    """The worker node starts."""
    body = {"process_group_id": 4711, "nodename": "node-1", **NO_SURPRISE}
    return client.send("POST", f"/task_instance/{task_instance_id}/log_running", body)


def log_report_by(client: Client, task_instance_id: int) -> Reply:
    """A heartbeat."""
    return client.send("POST", f"/task_instance/{task_instance_id}/log_report_by", NO_SURPRISE)


def log_done(client: Client, task_instance_id: int) -> Reply:
    """The command finished."""
    body = {"nodename": "node-1", "stdout": "/logs/out", "stderr": "/logs/err", "stdout_log": "", "stderr_log": ""}
    return client.send("POST", f"/task_instance/{task_instance_id}/log_done", body)


def is_done(reply: Reply) -> bool:
    """Whether the instance is, by the reply to its last report."""
    return reply.ok and reply.body["status"] == DONE


@dataclass(frozen=True, slots=True)
class Report:
    """One of those that are sent about one instance at the same moment."""

    route: str
    body: dict[str, Any]
    outcome: str | None = None
    """The status that it is to leave the instance in; None: a heartbeat, which is to change none."""

    def send(self, client: Client, task_instance_id: int) -> str | None:
        """Its outcome, if the reply says that it stands."""
        reply = client.send("POST", f"/task_instance/{task_instance_id}/{self.route}", self.body)
        return self.outcome if reply.ok and self._stands(reply.body) else None

    def _stands(self, said: dict[str, str] | None) -> bool:
        """log_known_error says so by an empty message, or, in Jobmon 3.2, says nothing at all."""
        if not said:
            return False
        return said["status"] == self.outcome if "status" in said else said["message"] == ""


def _failed(state: str) -> Report:
    return Report("log_error_worker_node", {"error_state": state, "error_description": f"failed: {state}"}, state)


CONFLICTING: Final = (
    Report("log_done", {"nodename": "node-1"}, DONE),
    Report("log_done", {"nodename": "node-1"}, DONE),
    _failed("E"),
    _failed("E"),
    _failed("Z"),
    Report("log_known_error", {"error_state": "U", "error_message": "nobody knows"}, "U"),
    Report("log_report_by", NO_SURPRISE),
    Report("log_report_by", NO_SURPRISE),
)
"""Two of them are sent twice, as after a lost reply."""
TASK_OF: Final = {RUNNING: RUNNING, DONE: DONE, "E": "G", "U": "G", "Z": "A", "F": "F"}
"""The status in which a task with attempts left must be, by that of its instance."""
