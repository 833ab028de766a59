"""Where a task and its instance may stand when reports about them come at the same time."""

from itertools import product
from typing import Any, Final, NamedTuple

from local.seed import Seed, load
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus
from lockstep.task.bound_item import TaskLookup
from lockstep.task_instance.item import InstanceKey
from lockstep.workflow_run.item import WorkflowRun
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.operations import Table
from tests.support.memory.virtual_time import START

WORKFLOW: Final = 1
TASK: Final = 42
ARRAY: Final = 7
RUN: Final = 5
LATER_RUN: Final = 6
"""Of the second instance: its task was taken over."""
INSTANCE: Final = InstanceKey(TASK, 1).id
LATER: Final = InstanceKey(TASK, 2).id
LONG_AGO_SECONDS: Final = 10_000.0
AHEAD_SECONDS: Final = 1_000.0


class Start(NamedTuple):
    """How things stand."""

    task_instance: TaskInstanceStatus
    task: TaskStatus
    overdue: bool = False
    """All was written long ago, and report_by has passed. Otherwise it lies ahead."""
    attempts_left: bool = True
    run: WorkflowRunStatus = WorkflowRunStatus.RUNNING
    later: TaskInstanceStatus | None = None
    """Of the task's second instance; without one, the first is its last."""

    @property
    def name(self) -> str:
        """In letters."""
        notes = ["overdue" * self.overdue, "last attempt" * (not self.attempts_left), f"run {self.run}"]
        return " ".join(filter(None, [f"{self.task_instance}/{self.task}", self.later, *notes]))

    def table(self) -> Table:
        """The table in which they stand so."""
        at = START - LONG_AGO_SECONDS if self.overdue else START
        with calls_in_memory() as memory, running_on(VirtualTime(at)):
            load(Seed.model_validate(self._seed()))
        run = {**memory.items[WorkflowRun.key(RUN)], "status": {"S": self.run}}
        lookup = TaskLookup.key(1, 1, "hash")
        known = {"pk": {"S": lookup[0]}, "sk": {"S": lookup[1]}, "id": {"N": str(TASK)}}
        return Table({**memory.items, WorkflowRun.key(RUN): run, lookup: known})

    def _seed(self) -> dict[str, Any]:
        num_attempts = 1 if self.later is None else 2
        task = a_task(
            TASK,
            self.task,
            num_attempts,
            max_attempts=num_attempts + self.attempts_left,
            node_id=1,
            requested_resources={"stdout": "/out"},
        )
        statuses = [self.task_instance] if self.later is None else [self.task_instance, self.later]
        runs = RUN, LATER_RUN
        return {
            "arrays": [AN_ARRAY],
            "tasks": [task],
            "task_instances": [an_instance(TASK, at + 1, status, runs[at]) for at, status in enumerate(statuses)],
        }


def a_task(task_id: int, status: TaskStatus, num_attempts: int, **more: Any) -> dict[str, Any]:
    """A task of the array, as a seed has it; it is of the node with its number, or as said."""
    return {
        "task_id": task_id,
        "status": status,
        "num_attempts": num_attempts,
        "max_attempts": 3,
        "workflow_id": WORKFLOW,
        "node_id": task_id,
        "array_id": ARRAY,
        "name": "t",
        "command": "true",
        "task_resources_id": 1,
        "requested_resources": {},
        **more,
    }


def an_instance(task_id: int, number: int, status: TaskInstanceStatus, run: int) -> dict[str, Any]:
    """A task's instance, as a seed has it: each in a batch of its own. A worker node is expected once it was taken."""
    waits = status in {TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED}
    return {
        "task_instance_id": InstanceKey(task_id, number).id,
        "status": status,
        "workflow_run_id": run,
        "array_id": ARRAY,
        "array_batch_num": number,
        "array_step_id": 0,
        "task_resources_id": 1,
        "report_by_in": None if waits else AHEAD_SECONDS,
        "nodename": None if waits else "node",
        "process_group_id": None if waits else 1,
    }


AN_ARRAY: Final = {
    "array_id": ARRAY,
    "name": "a",
    "workflow_id": WORKFLOW,
    "task_template_version_id": 1,
    "max_concurrently_running": 10,
}

STARTS: Final = tuple(
    Start(task_instance, task, overdue=overdue, attempts_left=attempts_left)
    for task_instance, task, overdue, attempts_left in product(
        TaskInstanceStatus, TaskStatus, (False, True), (True, False)
    )
) + tuple(
    Start(task_instance, task, run=WorkflowRunStatus.HOT_RESUME)
    for task_instance, task in product(TaskInstanceStatus, TaskStatus)
)
"""Every pair of statuses, whatever else a ruling may rest on."""
FOLLOWED: Final = tuple(
    (TaskInstanceStatus(later), TaskStatus(task)) for later, task in zip("QIORDE", "QIORDG", strict=True)
)
"""How a second attempt and its task stand."""
SUPERSEDED: Final = tuple(
    Start(first, task, overdue=True, later=later) for first, (later, task) in product(TaskInstanceStatus, FOLLOWED)
)
"""Wherever an attempt stands that another one has followed."""
OVERDUE: Final = tuple(start for start in STARTS if start.overdue and start.attempts_left)
"""Every pair of statuses once, where most happens."""
