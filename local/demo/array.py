"""The demo's workflow: bind an array, then queue, launch, run and triage its unfinished tasks, round by round."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from typing import Any, Final

from local.demo.fates import MAX_ATTEMPTS, Fate, script
from local.demo.view import View
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import InstanceKey
from sim import requests
from sim.client import UnansweredError
from sim.cluster import Cluster
from sim.distributor import Distributor, Run
from sim.requests import Request
from sim.workflow import bind_tasks

TI = TaskInstanceStatus

INCREMENT: Final = 300.0
"""Seconds to the next report: far more than the demo takes, so no heartbeat is ever late."""


class Array:
    """One array, with a task for each fate."""

    def __init__(self, cluster: Cluster, crew: Executor, view: View, fates: Sequence[Fate]) -> None:
        self._cluster, self._crew, self._view = cluster, crew, view
        self._rng = random.Random("demo")  # noqa: S311  # a script, not a secret
        self._resources, self._more_resources = (
            self._ask(requests.bind_resources({"memory": memory})) for memory in (1, 4)
        )
        workflow_id = self._bind_workflow("demo")
        self._array_id = self._ask(requests.create_array(workflow_id, "demo"))["array_id"]
        tasks = [
            requests.task(node, self._array_id, self._resources, f"run --step {node}", MAX_ATTEMPTS)
            for node in range(1, len(fates) + 1)
        ]
        self.fate_of = dict(zip(bind_tasks(self._ask, workflow_id, tasks), fates, strict=True))
        self._script = script(self.fate_of)
        self._attempts: Counter[int] = Counter()
        """The attempts of each task so far."""
        self._ready: list[Callable[[], None]] = []
        """The workers that have not started yet."""
        self._run_id = int(self._ask(requests.create_run(workflow_id, INCREMENT))["workflow_run_id"])
        self._move_run("BIOR")
        run = Run(self._run_id, INCREMENT, self._script.__getitem__)
        self._distributor = Distributor(cluster, run, self._ready.append, self._rng)

    def _bind_workflow(self, name: str) -> int:
        tool_id = self._ask(requests.bind_tool(name))["tool"][0]
        version = self._ask(requests.tool_versions(tool_id))["tool_versions"][0][0]
        dag_id = self._ask(requests.bind_dag(1))["dag_id"]
        now = time.time_ns() // 1000  # the table may hold an earlier demo's workflow
        return int(self._ask(requests.bind_workflow(name, now, version, dag_id))["workflow_id"])

    def drive(self) -> None:
        """Queue, launch, run and triage unfinished tasks until no task can be queued; then the run ends.

        Raises:
            UnansweredError: a program received a wrong reply.
        """
        waiting = [*self.fate_of]
        while waiting:
            more = [each for each in waiting if self._last_end(each) is TI.RESOURCE_ERROR]
            queued = self._submit([each for each in waiting if each not in more], self._resources)
            queued += self._submit(more, self._more_resources)
            self._run_workers()
            self._triage([each for each in queued if self._last_end(each) is TI.UNKNOWN_ERROR])
            waiting = [each for each in queued if self._last_end(each) is not TI.DONE]
        all_done = all(fate.ends_in is TaskStatus.DONE for fate in self.fate_of.values())
        self._move_run("D" if all_done else "E")

    def _move_run(self, statuses: str) -> None:
        for status in statuses:
            self._ask(requests.move_run(self._run_id, status))

    def _last_end(self, task_id: int) -> TI | None:
        """Return the status in which the task's last attempt ends according to the script."""
        attempts = self._attempts[task_id]
        return self._script[InstanceKey(task_id, attempts).id].end if attempts else None

    def _submit(self, task_ids: Sequence[int], resources_id: int) -> list[int]:
        """Queue, take and launch the next attempts of tasks. Return the tasks that had an attempt left."""
        if not task_ids:
            return []
        by_status = self._ask(requests.queue(self._array_id, task_ids, resources_id, self._run_id))["tasks_by_status"]
        if spent := by_status.get(TaskStatus.ERROR_FATAL):
            self._view.give_up(len(spent))
            self._view.say(f"{len(spent)} tasks have no attempts left")
        queued = set(by_status.get(TaskStatus.QUEUED, []))
        self._attempts.update(queued)
        steps = {InstanceKey(each, self._attempts[each]).id: each for each in task_ids if each in queued}
        if beyond := steps.keys() - self._script.keys():
            raise UnansweredError(f"queued after the last attempt of their tasks: {sorted(beyond)}")
        for array_id, batch_num, ids in self._distributor.take([*steps]) if steps else []:
            self._distributor.submit(array_id, batch_num, ids, ids.index)
            self._view.say(f"batch {batch_num}: {len(ids)} tasks queued and launched")
        return [*steps.values()]

    def _run_workers(self) -> None:
        futures = [self._crew.submit(work) for work in self._ready]
        self._ready.clear()
        try:
            for ended, future in enumerate(as_completed(futures), 1):
                future.result()
                self._view.progress(ended, len(futures))
        finally:
            for future in futures:
                future.cancel()
        if violations := self._cluster.tally.violations:
            raise UnansweredError("\n".join(violations))

    def _triage(self, task_ids: Sequence[int]) -> None:
        for task_id in task_ids:
            instance_id = InstanceKey(task_id, self._attempts[task_id]).id
            self._distributor.settle(instance_id, TI.UNKNOWN_ERROR, "launched and never heard of")
        if task_ids:
            self._view.say(f"triage gave up {len(task_ids)} that never started")

    def _ask(self, request: Request) -> Any:
        return self._cluster.ask(request, self._rng).body
