"""Bind, follow and start over one workflow on a system of its own; time each request and count its units."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from bench.growth import client
from bench.growth.client import Ground
from bench.load import processor
from lockstep.dynamodb.parallel import chunks
from lockstep.workflow.progress import MARGIN_SECONDS, MOST_IN_FULL
from sim import requests
from sim.client import Client, UnansweredError, describe
from sim.requests import Request
from sim.system import QUIET, USAGE, System, system
from sim.workflow import IDS_PER_CALL

SIZES: Final = (1, 1_000, 10_000, 100_000)
"""Tasks."""
SECONDS_TO_ANSWER: Final = 60
BUSY: Final = "503"
"""A call that has not done all within its time says so, and the same call again goes on."""
TRIES: Final = 50
"""A call that is sent so often without an end is given up."""
FOLLOWED: Final = 300
"""The tasks that end between two polls, at most."""
INCREMENT: Final = 3600.0
QUIET_SECONDS: Final = MARGIN_SECONDS + 1
"""Past the time for which the change feed tells a change again."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The requests of one kind, and what they took."""

    name: str
    seconds: list[float]
    """Of each request."""
    write_units: float
    read_units: float
    processor: float
    """Seconds of the gateway's processor."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The measurements of a workflow."""

    tasks: int
    phases: dict[str, Phase]


def measure(tasks: int) -> Growth:
    """Measure a workflow of so many tasks.

    Raises:
        EngineError: the system does not start.
        UnansweredError: it does not answer as it must.
    """
    with (
        system(QUIET, logs_to_file=True) as running,
        Client(running.api, seconds=SECONDS_TO_ANSWER) as api,
        Client(running.url) as local,
    ):
        return Growth(tasks, _Walk(running, api, local).walk(tasks))


class _Walk:
    def __init__(self, running: System, api: Client, local: Client) -> None:
        self._running, self._api, self._local = running, api, local
        self._phases: dict[str, Phase] = {}

    def walk(self, tasks: int) -> dict[str, Phase]:
        ground, node_ids = self._prepare(tasks)
        bound = self._send("tasks", client.bind(ground, node_ids))
        task_ids = sorted(int(task_id) for reply in bound for task_id, _ in reply["tasks"].values())
        self._send("task arguments", client.arguments(task_ids))
        run_id = self._begin(ground.workflow_id)
        self._follow(ground, task_ids, run_id)
        self._start_over(ground, task_ids, node_ids, run_id)
        return self._phases

    def _prepare(self, tasks: int) -> tuple[Ground, list[int]]:
        ask = self._api.ask
        tool_id = ask(requests.bind_tool("growth"))["tool"][0]
        version_id = ask(requests.tool_versions(tool_id))["tool_versions"][-1][0]
        template_id = ask(requests.bind_template(version_id, "step"))["task_template_id"]
        added = ask(requests.add_version(template_id, "run {place} {year}", ["place"], ["year"]))
        template_version_id = added["task_template_version"][0]
        found = self._send("nodes", client.nodes(template_version_id, tasks))
        ids = {key.partition(":")[2]: node_id for reply in found for key, node_id in reply["nodes"].items()}
        node_ids = [ids[str(each)] for each in range(tasks)]
        ask(requests.bind_dag(tasks))
        self._send("edges", client.edges(tasks, node_ids))
        workflow_id = ask(requests.bind_workflow(f"growth to {tasks}", tasks, version_id, tasks))["workflow_id"]
        array_id = ask(requests.create_array(workflow_id, "growth", template_version_id))["array_id"]
        resources_id = ask(requests.bind_resources({"cores": 1}))
        return Ground(workflow_id, array_id, resources_id), node_ids

    def _begin(self, workflow_id: int) -> int:
        run_id = int(self._api.ask(requests.create_run(workflow_id, INCREMENT))["workflow_run_id"])
        for status in "BIOR":
            self._api.ask(requests.move_run(run_id, status))
        return run_id

    def _follow(self, ground: Ground, task_ids: list[int], run_id: int) -> None:
        workflow_id = ground.workflow_id
        [full] = self._send("full poll", [requests.poll_workflow(workflow_id)])
        told = len(task_ids) if len(task_ids) <= MOST_IN_FULL else 0
        assert sum(map(len, full["tasks_by_status"].values())) == told, "of many, those whose status has changed"
        self._send("poll, nothing changed", [requests.poll_workflow(workflow_id, full["time"])])
        self._finish(ground, task_ids[:FOLLOWED], run_id)
        [changed] = self._send("poll, changes", [requests.poll_workflow(workflow_id, full["time"])])
        assert len(changed["tasks_by_status"]["D"]) == len(task_ids[:FOLLOWED])

    def _finish(self, ground: Ground, task_ids: list[int], run_id: int) -> None:
        ask = self._api.ask
        ask(requests.queue(ground.array_id, task_ids, ground.resources_id, run_id))
        queued = ask(requests.poll(run_id, "Q"))["status_updates"]["Q"]
        ask(requests.instantiate(queued))
        for instance_id in queued:
            ask(requests.log_distributor_id(instance_id, "1", INCREMENT))
            ask(requests.log_running(instance_id, "node", 1, INCREMENT))
            ask(requests.log_done(instance_id, "node"))
        time.sleep(QUIET_SECONDS)

    def _start_over(self, ground: Ground, task_ids: list[int], node_ids: list[int], run_id: int) -> None:
        """Queue all that are left, as a run that dies leaves them. Bind half of all tasks again; reset the others."""
        self._send(
            "queue",
            (
                requests.queue(ground.array_id, chunk, ground.resources_id, run_id)
                for chunk in chunks(task_ids[FOLLOWED:], IDS_PER_CALL)
            ),
        )
        self._api.ask(requests.move_run(run_id, "E"))
        half = node_ids[: -(-len(node_ids) // 2)]
        self._send("half of the tasks again", client.bind(ground, half))
        self._send("reset", [requests.start_over(ground.workflow_id)])

    def _send(self, name: str, asked: Iterable[Request]) -> list[Any]:
        before, began = self._local.ask(USAGE), processor.seconds(self._running.gateway.pid)
        replies, seconds = [], []
        for request in asked:
            reply, took = self._until_done(request)
            replies.append(reply)
            seconds += took
        after, ended = self._local.ask(USAGE), processor.seconds(self._running.gateway.pid)
        used = {key: after[key] - before[key] for key in ("write_units", "read_units")}
        self._phases[name] = Phase(name, seconds, processor=ended - began, **used)
        return replies

    def _until_done(self, request: Request) -> tuple[Any, list[float]]:
        seconds: list[float] = []
        while True:
            reply = self._api.send(request)
            seconds.append(reply.seconds)
            if reply.ok:
                return reply.body, seconds
            if reply.outcome != BUSY or len(seconds) == TRIES:
                raise UnansweredError(describe(request, reply))
