"""A workflow in the middle of its run, and others beside it, brought there by the calls that Jobmon's programs make."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from tests.support.linking import Sends

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
        self._player = player
        self._wait = wait
        self._key = key
        self._version = 0

    def tell(self, tasks: int, name: str) -> Story:
        self._send("POST", "dag", {"dag_hash": 7})
        tool_id = self._send("POST", "tool", {"name": "a study"})["tool"][0]
        [[self._version, _]] = self._send("GET", f"tool/{tool_id}/tool_versions")["tool_versions"]
        for number, (other, user, status, size) in enumerate(OTHERS):
            self._other(number, other, user, status, size)
            self._wait(86_400)
        workflow = self._workflow(100, name, description="Prevalence by location.", project="malaria")
        prepare, model, check = (self._array(workflow, number, each) for number, each in enumerate(ARRAYS))
        first = self._bind(workflow, prepare, "prepare", tasks // 4)
        second = self._bind(workflow, model, "model", tasks)
        self._bind(workflow, check, "check", tasks // 3, last=True)
        run = self._run(workflow, "ann", "BIOR")
        prepared = self._queue(prepare, first, run)
        self._launch(prepared)
        for instance in prepared:
            self._finish(instance)
        failing = self._fail_twice(model, run, second[0])
        instances = self._queue(model, second[1:], run)
        running = self._advance(instances)
        polled = {"task_instance_ids": [*prepared, *instances], "status": "Q"}
        self._send("POST", f"workflow_run/{run}/sync_status", polled)
        return Story(workflow, run, model, failing, running // 1000, running)

    def _other(self, number: int, name: str, user: str, status: str, size: int) -> None:
        workflow = self._workflow(number, name)
        self._bind(workflow, self._array(workflow, 0, "all"), "step", size, last=True)
        self._run(workflow, user, f"BIOR{status}")

    def _workflow(self, number: int, name: str, description: str = "", **attributes: str) -> int:
        body = {
            "tool_version_id": self._version,
            "dag_id": 7,
            "workflow_args_hash": number,
            "task_hash": self._key,
            "name": name,
            "description": description,
            "workflow_args": f"--release {number}",
            "max_concurrently_running": 10_000,
            "workflow_attributes": attributes,
        }
        return int(self._send("POST", "workflow", body)["workflow_id"])

    def _array(self, workflow: int, number: int, name: str) -> int:
        body = {"workflow_id": workflow, "task_template_version_id": number + 1, "max_concurrently_running": 500}
        return int(self._send("POST", "array", body | {"name": name})["array_id"])

    def _bind(self, workflow: int, array: int, name: str, size: int, *, last: bool = False) -> list[int]:
        rows = {
            str(number): [
                number + 1,
                str(array),
                array,
                1,
                f"{name} {number + 101}",
                f"python {name}.py --location {number + 101}",
                2,
                False,
                {},
                [],
            ]
            for number in range(size)
        }
        body = {"workflow_id": workflow, "mark_created": last, "tasks": rows}
        return [int(task_id) for task_id, _ in self._send("PUT", "task/bind_tasks_no_args", body)["tasks"].values()]

    def _run(self, workflow: int, user: str, statuses: str) -> int:
        body = {"workflow_id": workflow, "user": user, "jobmon_version": "3.6.0", "next_report_increment": DUE}
        run = int(self._send("POST", "workflow_run", body)["workflow_run_id"])
        for status in statuses:
            self._wait(5)
            self._send("PUT", f"workflow_run/{run}/update_status", {"status": status})
        return run

    def _queue(self, array: int, tasks: Sequence[int], run: int) -> list[int]:
        """The new instances, submitted to the cluster."""
        body = {"task_ids": list(tasks), "task_resources_id": self._resources(), "workflow_run_id": run}
        self._send("POST", f"array/{array}/queue_task_batch", body)
        return [self._latest(task) for task in tasks]

    def _resources(self) -> int:
        body = {"queue_id": 1, "requested_resources": {"memory": 10}, "task_resources_type_id": "O"}
        return int(self._send("POST", "task/bind_resources", body))

    def _latest(self, task: int) -> int:
        return int(self._send("GET", f"tasks/{task}")["attempts"][0]["task_instance_id"])

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
        self._send("POST", "task_instance/instantiate_task_instances", {"task_instance_ids": list(instances)})
        for instance in instances:
            body = {"distributor_id": str(8_675_309 + instance % 997), "next_report_increment": DUE}
            self._send("POST", f"task_instance/{instance}/log_distributor_id", body)

    def _start(self, instance: int) -> None:
        body = {"process_group_id": 42, "next_report_increment": DUE, "nodename": f"node-{instance // 1000 % 31}"}
        self._send("POST", f"task_instance/{instance}/log_running", body)

    def _finish(self, instance: int) -> None:
        self._start(instance)
        self._send("POST", f"task_instance/{instance}/log_done", {"stdout_log": "done\n"})

    def _fail_twice(self, array: int, run: int, task: int) -> int:
        for words, seconds in (("Killed by signal 9", 240), (TRACEBACK, 95)):
            [instance] = self._queue(array, [task], run)
            self._launch([instance])
            self._wait(40)
            self._start(instance)
            self._wait(seconds)
            body = {
                "error_state": "E",
                "error_description": words,
                "stdout": "/logs/model_101.o",
                "stderr": "/logs/model_101.e",
                "stdout_log": "101: reading\n",
                "stderr_log": words,
            }
            self._send("POST", f"task_instance/{instance}/log_error_worker_node", body)
            self._wait(30)
        return task

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        status, reply = self._player.send(method, f"/api/v3/{path}", None if body is None else json.dumps(body))
        assert status == 200, (path, reply)
        return reply
