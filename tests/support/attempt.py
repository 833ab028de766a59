"""An attempt at a task, as the worker nodes see it that may run it, and people who look at it."""

import json
from typing import Any, Final

from tests.conformance.recording import Player
from tests.support.memory.virtual_time import VirtualTime
from tests.support.seeding import pair

NAMES: Final = {"nodename": "n1", "process_group_id": 1, "distributor_id": "77"}
ANOTHER_JOB: Final = {"nodename": "n2", "process_group_id": 9, "distributor_id": "78"}
ANOTHER_NODE: Final = {"nodename": "n2", "process_group_id": 9}
ANOTHER_PROCESS: Final = {"process_group_id": 9}


class Attempt:
    """An instance that is launched as job 77, and the requests of its worker nodes, as Jobmon's programs send them."""

    def __init__(self) -> None:
        self.clock = VirtualTime()
        self._player = Player()
        self._id = 0

    def send_token(self, token_id: str | None, seconds: float) -> None:
        """From now on, send a worker's token that expires in some seconds."""
        expires_at = self.clock.time() + seconds
        self._player.authorizer = {"scope": "worker", "token_id": token_id, "expires_at": str(expires_at)}

    def launch(self) -> None:
        self._id = pair("I", "I", report_by_in=None)
        self._send("log_distributor_id", distributor_id="77", next_report_increment=10_000)

    def claim(self, **names: Any) -> str:
        told: str = self._send("log_running", **NAMES | names, next_report_increment=279)["task_instance"][1]
        return told

    def beat(self, job: str) -> str:
        body = {"distributor_id": job, "stdout": f"/of/{job}", "next_report_increment": 279}
        told: str = self._send("log_report_by", **body)["status"]
        return told

    def finish(self, **names: Any) -> str:
        told: str = self._send("log_done", **self._of_worker(names), stdout_log="printed")["status"]
        return told

    def fail(self, error_state: str, **names: Any) -> str:
        body = {"error_state": error_state, "error_description": "boom", **self._of_worker(names)}
        told: str = self._send("log_error_worker_node", **body)["status"]
        return told

    def triage(self, job: str | None) -> str:
        body = {"error_state": "Z", "error_message": "out of memory", "distributor_id": job, "nodename": None}
        message: str = self._send("log_known_error", **body)["message"]
        return message

    def relaunch(self, job: str) -> None:
        self._send("log_distributor_id", distributor_id=job, next_report_increment=300)

    def whole(self) -> dict[str, Any]:
        return self._player.whole(self._id)

    def sweep(self) -> None:
        path = f"/api/v3/workflow_run/{self._id // 1000}/set_status_for_triaging"
        assert self._player.send("POST", path, "{}")[0] == 200
        assert self.stands() == "TR"

    def contested(self) -> tuple[int, int]:
        """How often it was taken over, and how many claims and reports were refused, as people see it."""
        _, shown = self._player.send("GET", f"/api/v3/tasks/{self._id // 1000}", None)
        [attempt] = shown["attempts"]
        return attempt["takeovers"], attempt["refusals"]

    def stands(self) -> str:
        whole = self.whole()
        return str(whole["task_instance"]["status"] + whole["task"]["status"])

    def _of_worker(self, names: dict[str, Any]) -> dict[str, Any]:
        return {name: (NAMES | names)[name] for name in ("nodename", "distributor_id")}

    def send(self, route: str, **body: Any) -> tuple[int, Any]:
        return self._player.send("POST", f"/api/v3/task_instance/{self._id}/{route}", json.dumps(body))

    def _send(self, route: str, **body: Any) -> Any:
        status, reply = self.send(route, **body)
        assert status == 200, reply
        return reply
