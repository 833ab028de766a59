"""The routes that the demo calls, over HTTP, and how often it did."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import httpx

SECONDS_TO_ANSWER: Final = 30


class UnexpectedError(Exception):
    """The system did something else than it must."""


def expect(what: str, got: object, must: object) -> None:
    """Hold what is to what must be.

    Raises:
        UnexpectedError: they differ.
    """
    if got != must:
        raise UnexpectedError(f"{what}: must be {must}, is {got}")


class Client:
    """One connection pool for any number of threads. A reply that is not 200, or none, is an UnexpectedError."""

    def __init__(self) -> None:
        self.url = ""
        """Of the system, as soon as it is known."""
        self._http = httpx.Client(
            timeout=SECONDS_TO_ANSWER,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=2),  # before the server's 5 s
        )
        self._lock = threading.Lock()
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def requests(self) -> int:
        """How many the API was sent."""
        return self._requests

    def usage(self) -> dict[str, float]:
        """How many requests reached the API, and what they took of DynamoDB."""
        usage: dict[str, float] = self._send("GET", "_local/usage")
        return usage

    def bind_resources(self, requested: Mapping[str, Any]) -> int:
        """The resources' id."""
        return int(self._post("task/bind_resources", {"queue_id": 1, "requested_resources": requested}))

    def create_array(self, workflow_id: int, name: str, max_concurrently_running: int) -> int:
        """The array's id."""
        body = {
            "workflow_id": workflow_id,
            "task_template_version_id": 1,
            "max_concurrently_running": max_concurrently_running,
            "name": name,
        }
        return int(self._post("array", body)["array_id"])

    def bind_tasks(self, workflow_id: int, tasks: Mapping[str, Sequence[Any]]) -> dict[str, tuple[int, str]]:
        """Id and status of each task."""
        body = {"workflow_id": workflow_id, "mark_created": True, "tasks": tasks}
        bound: dict[str, tuple[int, str]] = self._call("PUT", "task/bind_tasks_no_args", body)["tasks"]
        return bound

    def queue(
        self, array_id: int, task_ids: Sequence[int], task_resources_id: int, workflow_run_id: int
    ) -> dict[str, list[int]]:
        """The task ids by the status that stands."""
        body = {"task_ids": task_ids, "task_resources_id": task_resources_id, "workflow_run_id": workflow_run_id}
        by_status: dict[str, list[int]] = self._post(f"array/{array_id}/queue_task_batch", body)["tasks_by_status"]
        return by_status

    def instantiate(self, task_instance_ids: Sequence[int]) -> list[list[Any]]:
        """Array id, array name, batch number, resources id and instance ids of each batch."""
        body = {"task_instance_ids": task_instance_ids}
        batches: list[list[Any]] = self._post("task_instance/instantiate_task_instances", body)["task_instance_batches"]
        return batches

    def launch_batch(self, array_id: int, batch_num: int, next_report_increment: float) -> None:
        """Everything in the batch that is instantiated is launched."""
        body = {"batch_number": batch_num, "next_report_increment": next_report_increment}
        self._post(f"array/{array_id}/transition_to_launched", body)

    def log_distributor_ids(self, array_id: int, distributor_ids: Mapping[int, str]) -> None:
        """The ids that the cluster gave."""
        self._post(f"array/{array_id}/log_distributor_id", distributor_ids)

    def log_distributor_id(self, task_instance_id: int, distributor_id: str, next_report_increment: float) -> str:
        """The message."""
        body = {"distributor_id": distributor_id, "next_report_increment": next_report_increment}
        return self._message(task_instance_id, "log_distributor_id", body)

    def log_no_distributor_id(self, task_instance_id: int, why: str) -> str:
        """The message."""
        return self._message(task_instance_id, "log_no_distributor_id", {"no_id_err_msg": why})

    def log_unknown_error(self, task_instance_id: int, error_state: str, why: str) -> str:
        """The message."""
        return self._message(task_instance_id, "log_unknown_error", {"error_state": error_state, "error_message": why})

    def find_instance(self, array_id: int, batch_num: int, step: int) -> int:
        """The id of the instance at a step."""
        return int(self._call("GET", f"get_array_task_instance_id/{array_id}/{batch_num}/{step}")["task_instance_id"])

    def log_running(
        self, task_instance_id: int, nodename: str, process_group_id: int, next_report_increment: float
    ) -> list[Any]:
        """Instance id, status, workflow run id, task id, name, command and more."""
        body = {
            "nodename": nodename,
            "process_group_id": process_group_id,
            "next_report_increment": next_report_increment,
        }
        row: list[Any] = self._about(task_instance_id, "log_running", body)["task_instance"]
        return row

    def log_report_by(self, task_instance_id: int, next_report_increment: float) -> str:
        """The status that stands."""
        return self._status(task_instance_id, "log_report_by", {"next_report_increment": next_report_increment})

    def log_done(self, task_instance_id: int, nodename: str) -> str:
        """The status that stands."""
        return self._status(task_instance_id, "log_done", {"nodename": nodename})

    def log_error(self, task_instance_id: int, nodename: str, error_state: str, why: str) -> str:
        """The status that stands."""
        body = {"nodename": nodename, "error_state": error_state, "error_description": why}
        return self._status(task_instance_id, "log_error_worker_node", body)

    def get_task_instance(self, task_instance_id: int) -> dict[str, dict[str, Any]]:
        """All that is known of the instance and its task."""
        whole: dict[str, dict[str, Any]] = self._call("GET", f"task_instance/{task_instance_id}")
        return whole

    def error_log(self, task_instance_id: int) -> list[list[Any]]:
        """The instance's error entries."""
        reply = self._call("GET", f"task_instance/{task_instance_id}/task_instance_error_log")
        entries: list[list[Any]] = reply["task_instance_error_log"]
        return entries

    def _message(self, task_instance_id: int, route: str, body: dict[str, Any]) -> str:
        return str(self._about(task_instance_id, route, body)["message"])

    def _status(self, task_instance_id: int, route: str, body: dict[str, Any]) -> str:
        return str(self._about(task_instance_id, route, body)["status"])

    def _about(self, task_instance_id: int, route: str, body: dict[str, Any]) -> Any:
        return self._post(f"task_instance/{task_instance_id}/{route}", body)

    def _post(self, path: str, body: object) -> Any:
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        with self._lock:
            self._requests += 1
        return self._send(method, f"api/v3/{path}", body)

    def _send(self, method: str, path: str, body: object = None) -> Any:
        try:
            reply = self._http.request(method, f"{self.url}/{path}", json=body)
        except httpx.HTTPError as error:
            raise UnexpectedError(f"{method} {path} got no answer: {error!r}") from error
        if reply.status_code != httpx.codes.OK:
            raise UnexpectedError(f"{method} {path} was answered {reply.status_code}: {reply.text}")
        return reply.json()
