"""What the demo keeps in mind of its tasks and of the attempts at them."""

from dataclasses import dataclass, field
from typing import Final

from local.demo.fates import Attempt, Fate
from lockstep.fsm.statuses import TaskInstanceStatus

INSTANCES_PER_TASK: Final = 1000
"""A task's n-th instance has this many times the task's id, plus n, for an id."""


@dataclass
class Task:
    """A task, and how its attempts ended so far."""

    task_id: int
    command: str
    fate: Fate
    ends: list[TaskInstanceStatus] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether its last attempt finished."""
        return self.ends[-1:] == [TaskInstanceStatus.DONE]

    @property
    def spent(self) -> bool:
        """Whether it has had all its attempts."""
        return len(self.ends) == len(self.fate.attempts)

    @property
    def needs_more(self) -> bool:
        """Whether it took more than the resources it was bound with."""
        return TaskInstanceStatus.RESOURCE_ERROR in self.ends

    def instance_ids(self) -> list[int]:
        """Of all the attempts that it has had when it has met its fate."""
        return [self.task_id * INSTANCES_PER_TASK + number for number, _ in enumerate(self.fate.attempts, 1)]


@dataclass(frozen=True)
class Assignment:
    """One attempt at a task, and its place in the array."""

    task: Task
    attempt: Attempt
    task_instance_id: int
    array_id: int
    batch_num: int
    step: int


def next_attempt(task: Task, array_id: int, batch_num: int, step: int) -> Assignment:
    """The attempt that comes after those that have ended."""
    number = len(task.ends)
    return Assignment(task, task.fate.attempts[number], task.instance_ids()[number], array_id, batch_num, step)
