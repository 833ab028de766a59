"""The steps of a life, and of what seldom happens to one, each asked of the functions themselves and measured."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

from bench.scale.costs import Step, Units
from bench.scale.tap import Taken, Tap
from local.engine import dynamodb
from local.gateway import invoke, load_handler
from local.prices import BATCH
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, naive, now
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.parallel import run_parallel
from lockstep.routes import find
from lockstep.task_instance.item import InstanceKey
from sim import requests
from sim.requests import Request
from sim.system import PREFIX

WORKFLOW: Final = 42_424_242
"""No other's, also in a table that others wrote."""
ON_TIME: Final = HEARTBEAT_BUFFER_SECONDS
SOON: Final = HEARTBEAT_BUFFER_SECONDS / 2
"""A report that is good for half as long as the deployment was told."""
SOONER: Final = SOON / 2
RUN_INCREMENT: Final = 93


def record(size: int = BATCH) -> list[Step]:
    """Measure each step with a batch of that size, on an engine of its own."""
    with dynamodb(Item.Meta.table_name):
        return record_here(size)


def record_here(size: int) -> list[Step]:
    """Do the same on this process's table, which nobody else may write meanwhile."""
    tap = Tap()
    walk = Walk(tap, size)
    with tap.attached():
        walk.usual()
        walk.unusual()
    return walk.steps


_handler: Final = cache(load_handler)


def call(request: Request, only_run: int | None = None) -> Any:
    """Call a function as API Gateway does, and return the body of a reply that is 200.

    only_run: the one run that the caller's token is for.

    Raises:
        RuntimeError: it is not 200.
    """
    found = find(request.method, PREFIX + request.path)
    if not found:
        raise RuntimeError(f"there is no route for {request}")
    route, parameters = found
    run = {"workflow_run_id": str(only_run)} if only_run else {}
    event = {
        "resource": route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "pathParameters": parameters,
        "body": None if request.body is None else json.dumps(request.body),
        "requestContext": {"authorizer": {"scope": "operator"} | run},
    }
    reply = json.loads(invoke(_handler(route.name), json.dumps(event), route.name))
    if reply["statusCode"] != 200:  # noqa: PLR2004  # HTTP: well
        raise RuntimeError(f"{request} was answered {reply['statusCode']}: {reply['body']}")
    return json.loads(reply["body"])


class Walk:
    """An array whose one batch of size instances goes through its life. Needs a table that nobody else writes."""

    def __init__(self, tap: Tap, size: int) -> None:
        self._send = call
        self._tap = tap
        self._size = size
        self.steps: list[Step] = []

    def usual(self) -> None:
        """Walk from the binding to DONE, with what is polled meanwhile."""
        size = self._size
        self._quietly(requests.bind_tasks(WORKFLOW, []))
        self._run = self._step("make a run", 0, requests.create_run(WORKFLOW, RUN_INCREMENT))["workflow_run_id"]
        self._resources = self._step("bind resources", 0, _RESOURCES)
        self._array = self._step("bind the array", 0, requests.create_array(WORKFLOW, "a"))["array_id"]
        tasks = _ids(self._step("bind tasks", size, self._bind(1, size)))
        self._ids = [InstanceKey(task, 1).id for task in tasks]
        self._step("queue", size, requests.queue(self._array, tasks, self._resources, self._run))
        for status in "BIO":
            self._quietly(requests.move_run(self._run, status))
        self._step("poll that tells what is queued", size, requests.poll(self._run, "Q"))
        self._step("instantiate", size, requests.instantiate(self._ids))
        self._step("task resources", 0, Request("POST", f"/task_resources/{self._resources}", {}))
        self._step("launch", size, requests.launch(self._array, 1, ON_TIME))
        given = {each: str(each) for each in self._ids}
        self._step("distributor ids", size, requests.log_distributor_ids(self._array, given))
        self._step("heartbeats of the launched", size, requests.beat_launched(self._ids, ON_TIME))
        self._step("cluster", 1, Request("GET", "/cluster/multiprocess"))
        self._step("look up", 1, requests.find_instance(self._array, 1, 0))
        self._step("log_running", 1, _start(self._ids[0]))
        self._step("heartbeat", 1, _beat(self._ids[0]))
        self._each(self._ids[1:-1], _start)
        self._alone_in_a_loop()

    def _alone_in_a_loop(self) -> None:
        run, size = self._run, self._size
        self._step("poll that lists what runs", size - 1, requests.poll(run, "R", self._ids[:-1]))
        for status in "OTKX":
            self._step(f"empty poll for {status}", 0, requests.poll(run, status))
        self._step("poll for I, of which all run", size, requests.poll(run, "I"))
        self._step("sweep, nothing due", 0, requests.sweep(run))
        self._step("poll of the client", 0, requests.poll_workflow(WORKFLOW, naive(now())))
        self._quietly(requests.beat_run(run, RUN_INCREMENT))
        self._step("heartbeat of the run", 0, requests.beat_run(run, RUN_INCREMENT))
        self._step("look up, token of one run", 1, requests.find_instance(self._array, 1, 0), run)
        self._step("heartbeat, token of one run", 1, _beat(self._ids[0]), run)

    def unusual(self) -> None:
        """Walk where resources are adjusted, intervals do not fit, a network fails, or a run is resumed."""
        ids, run, size = self._ids, self._run, self._size
        first, second = self._two_more()
        self._step("log_running, first to read adjusted resources", 1, _start(first))
        self._step("log_running, resources adjusted", 1, _start(second))
        self._step("heartbeat, due sooner than its batch", 1, _beat(ids[0], SOONER))
        self._step("heartbeat, due soon", 1, _beat(ids[1], SOON))
        self._step("log_running, due soon", 1, _start(ids[-1], SOON))
        for increment in (-1, ON_TIME):
            self._quietly(_beat(ids[0], increment))
        self._step("sweep, due and well", size, requests.sweep(run))
        self._each(ids, partial(_beat, increment=-1))
        self._step("sweep, all silent", size, requests.sweep(run))
        self._step("poll that tells what is silent", size, requests.poll(run, "T"))
        self._step("heartbeat of one in triage", 1, _beat(ids[0]))
        self._each(ids, _beat)
        done = requests.log_done(ids[0], "n", **_OUTPUT, stdout_log="x", stderr_log="y")
        self._step("log_done", 1, done)
        self._quietly(requests.move_run(run, "C"))
        self._step("resume stops the running", size, requests.terminate(run))
        killed = requests.log_error(ids[1], "n", "F", "got KILL_SELF")
        self._step("log_error_worker_node of a stopped one", 1, killed)

    def _two_more(self) -> list[int]:
        """Take instances in a batch of their own, whose resources are not those that their tasks were bound with."""
        adjusted = self._quietly(_RESOURCES)
        tasks = _ids(self._quietly(self._bind(self._size + 1, self._size + 2)))
        self._quietly(requests.queue(self._array, tasks, adjusted, self._run))
        ids = [InstanceKey(task, 1).id for task in tasks]
        self._quietly(requests.instantiate(ids))
        return ids

    def _bind(self, first: int, last: int) -> Request:
        tasks = (requests.task(node, self._array, self._resources, "true") for node in range(first, last + 1))
        return requests.bind_tasks(WORKFLOW, tasks)

    def _each(self, ids: Iterable[int], request: Callable[[int], Request]) -> None:
        """Send a request about each instance, unmeasured."""
        with self._tap.ignoring():
            run_parallel(lambda each: self._send(request(each)), ids)

    def _quietly(self, request: Request) -> Any:
        """Send a request, unmeasured."""
        with self._tap.ignoring():
            return self._send(request)

    def _step(self, name: str, instances: int, request: Request, only_run: int | None = None) -> Any:
        """Send a request about so many instances, and keep what it took."""
        reply = self._send(request, only_run)
        sent, taken = self._tap.drain()
        self.steps.append(Step(name, instances, sent, _by_role(taken)))
        return reply


def _by_role(taken: Iterable[Taken]) -> dict[str, Units]:
    roles: dict[str, list[Taken]] = defaultdict(list)
    for each in taken:
        roles[each.role].append(each)
    return {
        role: Units(
            sum(each.written for each in of_role),
            sum(each.read for each in of_role),
            len({each.partition for each in of_role}),
        )
        for role, of_role in sorted(roles.items())
    }


def _ids(bound: dict[str, dict[str, tuple[int, str]]]) -> list[int]:
    return sorted(task_id for task_id, _ in bound["tasks"].values())


def _start(instance_id: int, increment: float = ON_TIME) -> Request:
    return requests.log_running(instance_id, "n", 1, increment, distributor_id="7")


def _beat(instance_id: int, increment: float = ON_TIME) -> Request:
    return requests.log_report_by(instance_id, increment, **_OUTPUT)


_OUTPUT: Final = {"stdout": "/logs/o", "stderr": "/logs/e"}
_RESOURCES: Final = requests.bind_resources({"stdout": "/logs", "stderr": "/logs"})
