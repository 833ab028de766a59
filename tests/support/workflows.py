"""Workflows and runs, driven over the routes as clients, distributors and worker nodes drive them."""

import json
from collections.abc import Iterable
from typing import Any, Final

from sim import requests
from sim.requests import Request
from tests.conformance.recording import Player
from tests.support.linking import WORKFLOWS, Sends, ask
from tests.support.seeding import LONG_COMMAND, batch, run_of

INCREMENT: Final = 90.0
BEAT: Final = {"next_report_increment": 279}
CLAIM: Final = {**BEAT, "process_group_id": 1, "nodename": "n", "distributor_id": "7"}
BOOM: Final = {"error_state": "E", "error_description": "boom"}
LONG_PATH: Final = "/p" * 100
POLLED: Final = list("QIORTKX")


class Workflow:
    """One array of tasks, and a run. Unless it is said otherwise, a task's specification is an item apart."""

    def __init__(self, player: Sends, size: int, *, command: str = LONG_COMMAND, linked: bool = True) -> None:
        self._player = player
        self._command = command
        self.id = next(WORKFLOWS)
        self.size = size
        self.array = self.make_array()
        self.run = 0
        if linked:
            self.bind_rows({})
            self.link()

    def make_array(self) -> int:
        return int(self.ask(requests.create_array(self.id, "a"))["array_id"])

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self._player.send(method, f"/api/v3{path}", None if body is None else json.dumps(body))

    def expect(self, method: str, path: str, body: Any = None) -> Any:
        """Call a route that is to answer with 200: the reply."""
        status, reply = self.send(method, path, body)
        assert status == 200, (path, reply)
        return reply

    def ask(self, request: Request) -> Any:
        return self.expect(*request)

    def bind(
        self, max_attempts: int = 3, *, running: bool = False, created: bool = False
    ) -> dict[int, tuple[int, str]]:
        """Each task's id and status by its node."""
        rows = {
            str(node): [node + 1, f"args {node}", self.array, 1, "t", self._command, max_attempts, running, {}, []]
            for node in range(self.size)
        }
        bound = self.bind_rows(rows, created=created)
        return {int(node): (task_id, status) for node, (task_id, status) in bound.items()}

    def bind_rows(self, rows: dict[str, list[Any]], *, created: bool = False) -> dict[str, tuple[int, str]]:
        """Each task's id and status by its name. created: these are the last."""
        body = {"workflow_id": self.id, "tasks": rows, "mark_created": created}
        bound: dict[str, tuple[int, str]] = self.expect("PUT", "/task/bind_tasks_no_args", body)["tasks"]
        return bound

    def link(self, *statuses: str) -> int:
        """The id of its new run, in LINKING or in the last of these statuses."""
        self.run = self.ask(requests.create_run(self.id, INCREMENT))["workflow_run_id"]
        self.move(*statuses)
        return self.run

    def move(self, *statuses: str) -> None:
        for status in statuses:
            assert self.ask(requests.move_run(self.run, status)) == {"status": status}

    def resume(self, *, cold: bool) -> None:
        assert self.ask(requests.set_resume(self.id, cold=cold)) == {}

    def start_over(self) -> Any:
        """What the client is told that lets the tasks start over which are not done."""
        return self.ask(requests.start_over(self.id))

    def sweep(self) -> None:
        self.ask(requests.sweep(self.run))

    def send_queue(self, tasks: Iterable[int], resources: int = 1) -> tuple[int, Any]:
        """Give tasks another attempt."""
        return self.send(*requests.queue(self.array, [*tasks], resources, self.run))

    def queue(self, tasks: Iterable[int], resources: int = 1) -> list[int]:
        """The tasks' new instances, launched."""
        wanted = sorted(tasks)
        assert self.send_queue(wanted, resources) == (200, {"tasks_by_status": {"Q": wanted}})
        queued: list[int] = self.ask(requests.poll(self.run, "Q"))["status_updates"]["Q"]
        for _, _, batch_num, _, _ in self.ask(requests.instantiate(queued))["task_instance_batches"]:
            self.ask(requests.launch(self.array, batch_num, BEAT["next_report_increment"]))
        return queued

    def report(self, instance: int, route: str, **body: Any) -> tuple[int, Any]:
        return self.send("POST", f"/task_instance/{instance}/{route}", body)

    def hears(self, instance: int, route: str, **body: Any) -> Any:
        """What is told to a report that is answered with 200."""
        return self.expect("POST", f"/task_instance/{instance}/{route}", body)

    def start(self, instance: int) -> None:
        assert self.hears(instance, "log_running", **CLAIM)["task_instance"][1] == "R"

    def fail(self, instance: int) -> None:
        """Its worker node starts, and says that its command failed."""
        self.start(instance)
        self.hears(instance, "log_error_worker_node", **BOOM, stdout_log="x")

    def finish(self, instance: int) -> None:
        """Its worker node starts, and says that its command is done."""
        self.start(instance)
        self.hears(instance, "log_done", stdout_log="x")

    def heartbeat(self, status: str) -> None:
        self.ask(requests.beat_run(self.run, INCREMENT, status))


def live(workflow: Workflow) -> None:
    """Two attempts at its task: one fails, and one is done after triage asked for it."""
    [(task_id, _)] = workflow.bind().values()
    [first] = workflow.queue([task_id])
    workflow.fail(first)
    [second] = workflow.queue([task_id])
    workflow.start(second)
    workflow.hears(second, "log_report_by", next_report_increment=-1, stdout=LONG_PATH)
    workflow.sweep()
    assert workflow.hears(second, "log_report_by", **BEAT) == {"status": "R"}
    workflow.hears(second, "log_done", stdout_log="x", stderr_log="y")
    workflow.ask(requests.poll(workflow.run, "R"))


class Run:
    """A run, over the routes."""

    def __init__(self, player: Player, run_id: int) -> None:
        self.id = run_id
        self._player = player

    def send(self, method: str, route: str, **body: Any) -> tuple[int, Any]:
        return self._player.send(method, f"/api/v3/workflow_run/{self.id}/{route}", json.dumps(body))

    def ask(self, request: Request) -> Any:
        return ask(self._player, request)

    def poll(self, status: str, *ids: int) -> dict[str, list[int]]:
        """What its distributor hears that lists these instances in a status."""
        updates: dict[str, list[int]] = self.ask(requests.poll(self.id, status, ids))["status_updates"]
        return updates

    def sweep(self) -> None:
        assert self.ask(requests.sweep(self.id)) == {}

    def terminate(self) -> int:
        """A resume ends its instances: how many."""
        return int(self.ask(requests.terminate(self.id))["num_terminated"])

    def move(self, *statuses: str) -> str:
        """The status that stands after it was told to take these."""
        return [str(self.ask(requests.move_run(self.id, status))["status"]) for status in statuses][-1]

    def pairs(self, ids: list[int]) -> list[str]:
        wholes = [self._player.whole(number) for number in ids]
        return [f"{whole['task_instance']['status']}{whole['task']['status']}" for whole in wholes]

    def errors(self, number: int) -> list[list[Any]]:
        log: list[list[Any]] = self.ask(requests.get_errors(number))["task_instance_error_log"]
        return log


def rows(statuses: str, **more: Any) -> list[dict[str, Any]]:
    """Instances for `batch`, one in each status."""
    return [{"status": status, **more} for status in statuses]


def run_with(player: Player, statuses: str, **more: Any) -> tuple[Run, list[int]]:
    """A run, and its instances, one in each status."""
    ids = batch(*rows(statuses, **more))
    return Run(player, run_of(ids[0])), ids


def failed_task(player: Sends, task_resources_id: int, command: str = "true") -> int:
    """The id of a new workflow, whose one task ran out of resources for good. It may grow to double."""
    workflow = Workflow(player, 1)
    row = [1, "0", workflow.array, task_resources_id, "t", command, 1, False, {"cores": 1.0}, []]
    [(task_id, _)] = workflow.bind_rows({"t": row}, created=True).values()
    [instance] = workflow.queue([task_id], task_resources_id)
    workflow.hears(instance, "log_known_error", error_state="Z", error_message="too little")
    return workflow.id


def resumed(player: Player, workflow_id: int) -> list[tuple[str, ...]]:
    """What a client that resumes the workflow reads of each task: its status, resources, cluster and queue."""
    status, reply = page_of_tasks(player, workflow_id)
    assert status == 200, reply
    return [(status, *texts) for _, status, _, _, _, *texts, _ in reply["tasks"].values()]


def page_of_tasks(player: Player, workflow_id: int) -> tuple[int, Any]:
    """Status and body of the reply with the first tasks that are not done."""
    return player.send("GET", f"/api/v3/workflow/get_tasks/{workflow_id}", max_task_id="0", chunk_size="10")
