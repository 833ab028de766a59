"""Whether every task ended as its fate says, as the system itself tells it."""

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

from local.demo.client import Client
from local.demo.tasks import Task
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus


class Ending(NamedTuple):
    """Where a task is when all is over."""

    task: TaskStatus
    num_attempts: int
    instances: tuple[TaskInstanceStatus, ...]
    error_entries: tuple[int, ...]
    """Of each instance."""

    def __str__(self) -> str:
        instances = " ".join(self.instances)
        entries = " ".join(map(str, self.error_entries))
        return f"{self.task} after {self.num_attempts} attempts: {instances}, with error entries {entries}"


def must_be(task: Task) -> Ending:
    """How a task of its fate has to end."""
    attempts = task.fate.attempts
    return Ending(
        task.fate.ends_in,
        len(attempts),
        tuple(attempt.ends_in for attempt in attempts),
        tuple(attempt.error_entries for attempt in attempts),
    )


def find_endings(client: Client, crew: Executor, tasks: Sequence[Task]) -> list[Ending]:
    """How the tasks ended, in order.

    Raises:
        UnexpectedError: the system does not say.
    """
    return list(crew.map(partial(_find_ending, client), tasks))


def _find_ending(client: Client, task: Task) -> Ending:
    ids = task.instance_ids()
    found = [client.get_task_instance(task_instance_id) for task_instance_id in ids]
    last = found[-1]["task"]
    return Ending(
        TaskStatus(last["status"]),
        int(last["num_attempts"]),
        tuple(TaskInstanceStatus(each["task_instance"]["status"]) for each in found),
        tuple(len(client.error_log(task_instance_id)) for task_instance_id in ids),
    )
