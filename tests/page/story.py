"""A workflow in the middle of its run, and others beside it, brought there by the calls that Jobmon's programs make."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from sim import requests
from sim.requests import Request
from tests.support.linking import Sends, ask

OTHERS: Final = (
    ("Nutrition, 2026", "bea", "D", 12),
    ("Air pollution, 2026", "cem", "E", 30),
    ("Injuries, 2026", "ann", "D", 8),
    ("Tobacco, 2026", "dia", "S", 64),
    ("Malaria, 2025", "ann", "D", 180),
)
"""Names, users, the last statuses of runs and numbers of tasks, oldest first."""
TRACEBACK: Final = """\
Traceback (most recent call last):
  File "model.py", line 88, in <module>
    fit(load(arguments.location))
  File "model.py", line 41, in load
    raise ValueError(f"no data for {location} in 2019")
ValueError: no data for 101 in 2019
"""
ARRAYS: Final = ("prepare", "model", "check")
ATTEMPTS: Final = 2
DAG: Final = 7
DUE: Final = 1_800
"""Seconds until the next report."""
DONE, RUNNING, LAUNCHED = 0.6, 0.85, 0.92
"""Up to which part of the second array's tasks are in these statuses; the last ones are queued."""


class Story(NamedTuple):
    """Ids of what it tells about."""

    workflow_id: int
    workflow_run_id: int
    array_id: int
    """With tasks in every status."""
    failed: int
    """A task that failed twice and has no more attempts."""
    running: int
    """A task that runs, and its attempt below."""
    running_instance: int


def tell(
    player: Sends, wait: Callable[[float], None], tasks: int = 12, name: str = "Malaria, 2026", key: int = 0
) -> Story:
    """Bring a workflow of three arrays to the middle of its run.

    wait: lets seconds pass, where the clock is not the machine's own.
    tasks: of the second array.
    name: the workflow's.
    key: another one makes other workflows, where those of this one are there.
    """
    return _Teller(player, wait, key).tell(tasks, name)


class _Teller:
    def __init__(self, player: Sends, wait: Callable[[float], None], key: int) -> None:
        self._ask = partial(ask, player)
        self._wait = wait
        self._key = key
        self._version = 0

    def tell(self, tasks: int, name: str) -> Story:
        self._ask(requests.bind_dag(DAG))
        tool_id = self._ask(requests.bind_tool("a study"))["tool"][0]
        [[self._version, _]] = self._ask(requests.tool_versions(tool_id))["tool_versions"]
        for number, (other, user, status, size) in enumerate(OTHERS):
            self._other(number, other, user, status, size)
            self._wait(86_400)
        workflow = self._workflow(100, name, description="Prevalence by location.", project="malaria")
        arrays = [self._array(workflow, number, each) for number, each in enumerate(ARRAYS)]
        sizes = (tasks // 4, tasks, tasks // 3)
        first, second, _ = (self._bind(workflow, *each) for each in zip(arrays, ARRAYS, sizes, strict=True))
        prepare, model, _ = arrays
        run = self._run(workflow, "ann", "BIOR")
        prepared = self._queue(prepare, first, run)
        self._launch(prepared)
        for instance in prepared:
            self._finish(instance)
        failing = self._fail_twice(model, run, second[0])
        instances = self._queue(model, second[1:], run)
        running = self._advance(instances)
        self._ask(requests.poll(run, "Q", [*prepared, *instances]))
        return Story(workflow, run, model, failing, running // 1000, running)

    def _other(self, number: int, name: str, user: str, status: str, size: int) -> None:
        workflow = self._workflow(number, name)
        self._bind(workflow, self._array(workflow, 0, "all"), "step", size)
        self._run(workflow, user, f"BIOR{status}")

    def _workflow(self, number: int, name: str, description: str = "", **attributes: str) -> int:
        told = {"description": description, "workflow_args": f"--release {number}", "workflow_attributes": attributes}
        bound = requests.bind_workflow(name, number, self._version, DAG, task_hash=self._key, **told)
        return int(self._ask(bound)["workflow_id"])

    def _array(self, workflow: int, number: int, name: str) -> int:
        return int(self._ask(requests.create_array(workflow, name, number + 1, most_at_once=500))["array_id"])

    def _bind(self, workflow: int, array: int, name: str, size: int) -> list[int]:
        rows = [
            requests.task(
                node, array, 1, f"python {name}.py --location {node + 100}", ATTEMPTS, name=f"{name} {node + 100}"
            )
            for node in range(1, size + 1)
        ]
        return [int(task_id) for task_id, _ in self._ask(requests.bind_tasks(workflow, rows))["tasks"].values()]

    def _run(self, workflow: int, user: str, statuses: str) -> int:
        run = int(self._ask(requests.create_run(workflow, DUE, user))["workflow_run_id"])
        for status in statuses:
            self._wait(5)
            self._ask(requests.move_run(run, status))
        return run

    def _queue(self, array: int, tasks: Sequence[int], run: int) -> list[int]:
        """The new instances, submitted to the cluster."""
        resources = int(self._ask(requests.bind_resources({"memory": 10})))
        self._ask(requests.queue(array, tasks, resources, run))
        return [self._latest(task) for task in tasks]

    def _latest(self, task: int) -> int:
        return int(self._ask(Request("GET", f"/tasks/{task}"))["attempts"][0]["task_instance_id"])

    def _advance(self, instances: Sequence[int]) -> int:
        """Some are done, some run, some wait. The first that runs."""
        done, running, launched = (round(part * len(instances)) for part in (DONE, RUNNING, LAUNCHED))
        self._launch(instances[:launched])
        for instance in instances[:done]:
            self._finish(instance)
            self._wait(3)
        for instance in instances[done:running]:
            self._start(instance)
            self._wait(2)
        return instances[done]

    def _launch(self, instances: Sequence[int]) -> None:
        self._wait(20)
        self._ask(requests.instantiate(instances))
        for instance in instances:
            self._ask(requests.log_distributor_id(instance, str(8_675_309 + instance % 997), DUE))

    def _start(self, instance: int) -> None:
        self._ask(requests.log_running(instance, _node(instance), 42, DUE))

    def _finish(self, instance: int) -> None:
        self._start(instance)
        self._ask(requests.log_done(instance, _node(instance), stdout_log="done\n"))

    def _fail_twice(self, array: int, run: int, task: int) -> int:
        for words, seconds in (("Killed by signal 9", 240), (TRACEBACK, 95)):
            [instance] = self._queue(array, [task], run)
            self._launch([instance])
            self._wait(40)
            self._start(instance)
            self._wait(seconds)
            printed = {"stdout_log": "101: reading\n", "stderr_log": words}
            paths = {"stdout": "/logs/model_101.o", "stderr": "/logs/model_101.e"}
            self._ask(requests.log_error(instance, _node(instance), "E", words, **paths, **printed))
            self._wait(30)
        return task


def _node(instance: int) -> str:
    return f"node-{instance // 1000 % 31}"
