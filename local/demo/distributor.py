"""The workflow's run loop and its distributor: they bind an array, queue what is not done, launch it and triage it."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, as_completed
from typing import Final

from local.demo.client import Client, UnexpectedError, expect
from local.demo.fates import MAX_ATTEMPTS, Attempt, Fate
from local.demo.tasks import Assignment, Task, next_attempt
from local.demo.view import View
from local.demo.workers import SECONDS_TO_NEXT_REPORT, run
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus

ARRAY_NAME: Final = "demo"
WORKFLOW_RUN_ID: Final = 1
ALREADY_OVERDUE: Final = -1


class Distributor:
    """Drives one array until no task of it is left that may be tried again.

    Whatever it is answered that it must not be is an UnexpectedError.
    """

    def __init__(self, client: Client, crew: Executor, view: View) -> None:
        self._client = client
        self._crew = crew
        self._view = view
        self._batch_num = 0
        self._array_id = 0
        self._resources = client.bind_resources({"memory": 1})
        self._more_resources = client.bind_resources({"memory": 4})

    def bind(self, fates: Sequence[Fate]) -> list[Task]:
        """The tasks of a new array, one for each fate."""
        workflow_id = time.time_ns() // 1000  # a table that outlives the demo knows the last one
        self._array_id = self._client.create_array(workflow_id, ARRAY_NAME, len(fates))
        commands = {f"step_{step:03}": f"run --step {step}" for step in range(len(fates))}
        wanted = {
            name: (node_id, name, self._array_id, self._resources, name, command, MAX_ATTEMPTS)
            for node_id, (name, command) in enumerate(commands.items(), 1)
        }
        bound = self._client.bind_tasks(workflow_id, wanted)
        expect("the tasks' statuses", {status for _, status in bound.values()}, {TaskStatus.REGISTERING})
        tasks = [Task(bound[name][0], commands[name], fate) for name, fate in zip(commands, fates, strict=True)]
        return sorted(tasks, key=lambda task: task.task_id)

    def drive(self, tasks: Sequence[Task]) -> None:
        """Queue, launch, run and triage what is not done, again and again, until nothing can be queued."""
        waiting = tasks
        while waiting:
            assignments = [
                *self._submit([task for task in waiting if not task.needs_more], self._resources),
                *self._submit([task for task in waiting if task.needs_more], self._more_resources),
            ]
            self._run([assignment for assignment in assignments if assignment.attempt.has_worker])
            self._triage([assignment for assignment in assignments if assignment.attempt is Attempt.NEVER_STARTS])
            waiting = [assignment.task for assignment in assignments if not assignment.task.done]

    def _submit(self, tasks: Sequence[Task], task_resources_id: int) -> list[Assignment]:
        """The next attempts at those tasks that have one left, queued as one batch and launched."""
        assignments = self._queue(tasks, task_resources_id) if tasks else []
        if assignments:
            self._instantiate(assignments, task_resources_id)
            self._launch(assignments)
            self._view.say(f"batch {self._batch_num}: {len(assignments)} tasks queued and launched")
        return assignments

    def _queue(self, tasks: Sequence[Task], task_resources_id: int) -> list[Assignment]:
        queued = [task for task in tasks if not task.spent]
        spent = [task for task in tasks if task.spent]
        by_status = {TaskStatus.QUEUED: _ids(queued), TaskStatus.ERROR_FATAL: _ids(spent)}
        answer = self._client.queue(self._array_id, _ids(tasks), task_resources_id, WORKFLOW_RUN_ID)
        expect("the tasks by status", answer, {status: ids for status, ids in by_status.items() if ids})
        if spent:
            self._view.gave_up(len(spent))
            self._view.say(f"{len(spent)} tasks have no attempts left")
        if queued:
            self._batch_num += 1
        assignments = [next_attempt(task, self._array_id, self._batch_num, step) for step, task in enumerate(queued)]
        self._told(assignments, TaskInstanceStatus.QUEUED)
        return assignments

    def _instantiate(self, assignments: Sequence[Assignment], task_resources_id: int) -> None:
        ids = [assignment.task_instance_id for assignment in assignments]
        batch = [self._array_id, ARRAY_NAME, self._batch_num, task_resources_id, ids]
        expect("what is instantiated", self._client.instantiate(ids), [batch])
        self._told(assignments, TaskInstanceStatus.INSTANTIATED)

    def _launch(self, assignments: Sequence[Assignment]) -> None:
        """The cluster accepts the batch, but for those whose script says otherwise."""
        self._reject([assignment for assignment in assignments if assignment.attempt is Attempt.NOT_ACCEPTED])
        self._lose([assignment for assignment in assignments if assignment.attempt is Attempt.NEVER_STARTS])
        started = [assignment for assignment in assignments if assignment.attempt.has_worker]
        self._client.launch_batch(self._array_id, self._batch_num, SECONDS_TO_NEXT_REPORT)
        distributor_ids = {each.task_instance_id: f"{self._batch_num}_{each.step}" for each in started}
        self._client.log_distributor_ids(self._array_id, distributor_ids)
        self._told(started, TaskInstanceStatus.LAUNCHED)

    def _reject(self, assignments: Sequence[Assignment]) -> None:
        for assignment in assignments:
            message = self._client.log_no_distributor_id(assignment.task_instance_id, "the cluster gave no id")
            expect(f"{assignment.task_instance_id} without a distributor id", message, "")
            self._end(assignment)

    def _lose(self, assignments: Sequence[Assignment]) -> None:
        for assignment in assignments:
            message = self._client.log_distributor_id(assignment.task_instance_id, "lost", ALREADY_OVERDUE)
            expect(f"{assignment.task_instance_id} at its launch", message, "Task instance transitioned to LAUNCHED")
        self._told(assignments, TaskInstanceStatus.LAUNCHED)

    def _run(self, assignments: Sequence[Assignment]) -> None:
        futures = [self._crew.submit(run, self._client, self._view, assignment) for assignment in assignments]
        try:
            for ended, _ in enumerate(as_completed(futures), 1):
                self._view.progress(ended, len(futures), self._client.requests)
        finally:
            for future in futures:
                future.cancel()
        errors = [future.exception() for future in futures]
        unexpected = [str(error) for error in errors if isinstance(error, UnexpectedError)]
        if unexpected:
            raise UnexpectedError("\n".join(unexpected))
        for assignment, future in zip(assignments, futures, strict=True):
            assignment.task.ends.append(future.result())

    def _triage(self, assignments: Sequence[Assignment]) -> None:
        for assignment in assignments:
            end, task_instance_id = assignment.attempt.ends_in, assignment.task_instance_id
            message = self._client.log_unknown_error(task_instance_id, end, "launched and never heard of")
            expect(f"{task_instance_id} at its triage", message, "")
            self._end(assignment)
        if assignments:
            self._view.say(f"triage gave up {len(assignments)} that never started")

    def _end(self, assignment: Assignment) -> None:
        assignment.task.ends.append(assignment.attempt.ends_in)
        self._told([assignment], assignment.attempt.ends_in)

    def _told(self, assignments: Sequence[Assignment], status: TaskInstanceStatus) -> None:
        for assignment in assignments:
            self._view.told(assignment.task_instance_id, status)


def _ids(tasks: Sequence[Task]) -> list[int]:
    return [task.task_id for task in tasks]
