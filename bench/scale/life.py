"""The steps of a life, and of what seldom happens to one, each asked of the functions themselves and measured."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from bench.scale.costs import Step, Units
from bench.scale.tap import Taken, Tap
from local.gateway import invoke, load_handler
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS
from lockstep.dynamodb.client import run_parallel
from lockstep.routes import ROUTES

WORKFLOW: Final = 42_424_242
"""No other's, also in a table that others wrote."""
ON_TIME: Final = HEARTBEAT_BUFFER_SECONDS
SOON: Final = HEARTBEAT_BUFFER_SECONDS / 2
"""A report that is good for half as long as the deployment was told."""
SOONER: Final = SOON / 2


class Caller:
    """Calls functions as API Gateway does."""

    def __init__(self) -> None:
        self._routes = [(route, load_handler(route.name)) for route in ROUTES]

    def send(self, method: str, path: str, body: Any = None, only_run: int | None = None) -> Any:
        """The body of a reply that is 200. only_run: the one run that the caller's token is for.

        Raises:
            RuntimeError: it is not 200.
        """
        for route, handler in self._routes:
            match = route.pattern.fullmatch(f"/api/v3{path}")
            if match and route.method == method:
                run = {"workflow_run_id": str(only_run)} if only_run else {}
                event = {
                    "resource": route.resource,
                    "path": path,
                    "httpMethod": method,
                    "pathParameters": match.groupdict(),
                    "body": None if body is None else json.dumps(body),
                    "requestContext": {"authorizer": {"scope": "operator"} | run},
                }
                reply = json.loads(invoke(handler, json.dumps(event), route.name))
                if reply["statusCode"] != 200:  # noqa: PLR2004  # HTTP: well
                    raise RuntimeError(f"{method} {path} was answered {reply['statusCode']}: {reply['body']}")
                return json.loads(reply["body"])
        raise RuntimeError(f"there is no route for {method} {path}")


class Walk:
    """An array whose one batch of size instances goes through its life. Needs a table that nobody else writes."""

    def __init__(self, tap: Tap, size: int) -> None:
        self._caller = Caller()
        self._tap = tap
        self._size = size
        self.steps: list[Step] = []

    def usual(self) -> None:
        """From the binding to DONE, and what is polled meanwhile."""
        self._run = self._step("make a run", 0, "POST", "/workflow_run", _run_to_make())["workflow_run_id"]
        self._resources = self._step("bind resources", 0, "POST", "/task/bind_resources", _RESOURCES)
        self._array = self._step("bind the array", 0, "POST", "/array", _array_to_bind())["array_id"]
        bound = self._bulk("bind tasks", "PUT", "/task/bind_tasks_no_args", self._tasks(1, self._size))
        tasks = sorted(task_id for task_id, _ in bound["tasks"].values())
        self._ids = [task * 1000 + 1 for task in tasks]
        to_queue = self._to_queue(tasks, self._resources)
        self._bulk("queue", "POST", f"/array/{self._array}/queue_task_batch", to_queue)
        for status in "BIO":
            self._move_run(status)
        self._poll("poll that tells what is queued", "Q", [], self._size)
        self._bulk("instantiate", "POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": self._ids})
        self._step("task resources", 0, "POST", f"/task_resources/{self._resources}", {})
        self._bulk("launch", "POST", f"/array/{self._array}/transition_to_launched", _batch(1))
        distributor_ids = {str(number): str(number) for number in self._ids}
        self._bulk("distributor ids", "POST", f"/array/{self._array}/log_distributor_id", distributor_ids)
        beat = {"task_instance_ids": self._ids, "next_report_increment": ON_TIME}
        self._bulk("heartbeats of the launched", "POST", "/task_instance/log_report_by/batch", beat)
        self._step("cluster", 1, "GET", "/cluster/multiprocess")
        self._step("look up", 1, "GET", self._lookup(0))
        self._step("log_running", 1, "POST", self._report(0, "log_running"), _start(ON_TIME))
        self._step("heartbeat", 1, "POST", self._report(0, "log_report_by"), _beat(ON_TIME))
        self._everybody("log_running", _start(ON_TIME), since=1, until=-1)
        self._alone_in_a_loop()

    def _alone_in_a_loop(self) -> None:
        self._poll("poll that lists what runs", "R", self._ids[:-1], self._size - 1)
        for status in "OTKX":
            self._poll(f"empty poll for {status}", status, [], 0)
        self._poll("poll for I that notes what runs", "I", [], self._size)
        self._step("sweep, nothing due", 0, "POST", self._of_run("set_status_for_triaging"), {})
        heartbeat = {"status": "R", "next_report_increment": 93}
        with self._tap.ignoring():
            self._caller.send("POST", self._of_run("log_heartbeat"), heartbeat)
        self._step("heartbeat of the run", 0, "POST", self._of_run("log_heartbeat"), heartbeat)
        self._step("look up, token of one run", 1, "GET", self._lookup(0), only_run=self._run)
        self._step(
            "heartbeat, token of one run",
            1,
            "POST",
            self._report(0, "log_report_by"),
            _beat(ON_TIME),
            only_run=self._run,
        )

    def unusual(self) -> None:
        """What happens when resources are adjusted, intervals do not fit, a network fails, or a run is resumed."""
        first, second = (f"/task_instance/{number}/log_running" for number in self._two_more())
        self._step("log_running, first to read adjusted resources", 1, "POST", first, _start(ON_TIME))
        self._step("log_running, resources adjusted", 1, "POST", second, _start(ON_TIME))
        self._step("heartbeat, due sooner than its batch", 1, "POST", self._report(0, "log_report_by"), _beat(SOONER))
        self._step("heartbeat, due soon", 1, "POST", self._report(1, "log_report_by"), _beat(SOON))
        self._step("log_running, due soon", 1, "POST", self._report(-1, "log_running"), _start(SOON))
        self._everybody("log_report_by", _beat(-1), until=1)
        self._everybody("log_report_by", _beat(ON_TIME), until=1)
        self._bulk("sweep, due and well", "POST", self._of_run("set_status_for_triaging"), {})
        self._everybody("log_report_by", _beat(-1))
        self._bulk("sweep, all silent", "POST", self._of_run("set_status_for_triaging"), {})
        self._poll("poll that tells what is silent", "T", [], self._size)
        self._step("heartbeat of one in triage", 1, "POST", self._report(0, "log_report_by"), _beat(ON_TIME))
        self._everybody("log_report_by", _beat(ON_TIME))
        self._step("log_done", 1, "POST", self._report(0, "log_done"), _DONE)
        self._move_run("C")
        self._bulk("resume stops the running", "PUT", self._of_run("terminate_task_instances"), None)
        killed = {"error_state": "F", "error_description": "got KILL_SELF"}
        self._step(
            "log_error_worker_node of a stopped one", 1, "POST", self._report(1, "log_error_worker_node"), killed
        )

    def _two_more(self) -> list[int]:
        """Instances in a batch of their own, whose resources are not those that their tasks were bound with."""
        node = self._size + 1
        with self._tap.ignoring():
            adjusted = self._caller.send("POST", "/task/bind_resources", _RESOURCES)
            bound = self._caller.send("PUT", "/task/bind_tasks_no_args", self._tasks(node, node + 1))
            tasks = sorted(task_id for task_id, _ in bound["tasks"].values())
            self._caller.send("POST", f"/array/{self._array}/queue_task_batch", self._to_queue(tasks, adjusted))
            ids = [task * 1000 + 1 for task in tasks]
            self._caller.send("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids})
        return ids

    def _to_queue(self, tasks: list[int], resources: int) -> dict[str, Any]:
        return {"task_ids": tasks, "task_resources_id": resources, "workflow_run_id": self._run}

    def _everybody(self, route: str, body: Any, since: int = 0, until: int | None = None) -> None:
        """Nothing is kept of it."""
        wanted = range(self._size)[since:until]
        with self._tap.ignoring():
            run_parallel(lambda index: self._caller.send("POST", self._report(index, route), body), wanted)

    def _move_run(self, status: str) -> None:
        """Nothing is kept of it."""
        with self._tap.ignoring():
            self._caller.send("PUT", self._of_run("update_status"), {"status": status})

    def _of_run(self, route: str) -> str:
        return f"/workflow_run/{self._run}/{route}"

    def _report(self, index: int, route: str) -> str:
        return f"/task_instance/{self._ids[index]}/{route}"

    def _lookup(self, index: int) -> str:
        return f"/get_array_task_instance_id/{self._array}/1/{index}"

    def _tasks(self, first: int, last: int) -> dict[str, Any]:
        rows = {
            str(node): [node, node, self._array, self._resources, "t", "true", 3, False, {}, []]
            for node in range(first, last + 1)
        }
        return {"workflow_id": WORKFLOW, "tasks": rows}

    def _poll(self, name: str, status: str, ids: Iterable[int], instances: int) -> None:
        body = {"task_instance_ids": list(ids), "status": status}
        self._step(name, instances, "POST", self._of_run("sync_status"), body)

    def _bulk(self, name: str, method: str, path: str, body: Any) -> Any:
        return self._step(name, self._size, method, path, body)

    def _step(
        self,
        name: str,
        instances: int,
        method: str,
        path: str,
        body: Any = None,
        *,
        only_run: int | None = None,
    ) -> Any:
        reply = self._caller.send(method, path, body, only_run)
        requests, taken = self._tap.drain()
        self.steps.append(Step(name, instances, requests, dict(_by_role(taken))))
        return reply


def _by_role(taken: Iterable[Taken]) -> Iterator[tuple[str, Units]]:
    roles: dict[str, list[Taken]] = defaultdict(list)
    for each in taken:
        roles[each.role].append(each)
    for role, of_role in sorted(roles.items()):
        partitions = len({each.partition for each in of_role})
        yield (
            role,
            Units(sum(each.written for each in of_role), sum(each.read for each in of_role), partitions),
        )


def _run_to_make() -> dict[str, Any]:
    return {"workflow_id": WORKFLOW, "next_report_increment": 93, "user": "u", "jobmon_version": "3"}


def _array_to_bind() -> dict[str, Any]:
    return {"workflow_id": WORKFLOW, "task_template_version_id": 1, "max_concurrently_running": 50_000, "name": "a"}


def _batch(number: int) -> dict[str, Any]:
    return {"batch_number": number, "next_report_increment": ON_TIME}


def _start(increment: float) -> dict[str, Any]:
    return {"process_group_id": 1, "next_report_increment": increment, "nodename": "n", "distributor_id": "7"}


def _beat(increment: float) -> dict[str, Any]:
    return {"next_report_increment": increment, "stdout": "/logs/o", "stderr": "/logs/e"}


_RESOURCES: Final = {"queue_id": 1, "requested_resources": {"stdout": "/logs", "stderr": "/logs"}}
_DONE: Final = {"nodename": "n", "stdout": "/logs/o", "stderr": "/logs/e", "stdout_log": "x", "stderr_log": "y"}
