"""What may be said about one workflow at the same time: by its client, its rivals, and who takes it over."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from local.seed import Seed, load
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.task.bound_item import TaskLookup
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.expressions import Item
from tests.support.memory.operations import Key, Table
from tests.support.memory.virtual_time import START
from tests.verification.explore.courses import Request, asked
from tests.verification.explore.starts import AHEAD_SECONDS, AN_ARRAY, ARRAY, RUN, TASK, WORKFLOW, a_task, an_instance

Run = WorkflowRunStatus

STARTED: Final = TASK
"""A task with an instance, unless it is new."""
READY: Final = 43
"""A task that may be queued, unless all are done."""
INSTANCE: Final = STARTED * 1000 + 1
RESOURCES: Final = 1
NEW: Final = 44
"""A node of which no task is bound yet."""
ARGUMENTS: Final = "hash"
"""Of every task."""
FOLLOWS: Final = {
    Run.LINKING: WorkflowStatus.REGISTERING,
    Run.BOUND: WorkflowStatus.QUEUED,
    Run.INSTANTIATED: WorkflowStatus.INSTANTIATING,
    Run.LAUNCHED: WorkflowStatus.LAUNCHED,
    Run.RUNNING: WorkflowStatus.RUNNING,
    Run.COLD_RESUME: WorkflowStatus.RUNNING,
    Run.HOT_RESUME: WorkflowStatus.RUNNING,
    Run.ERROR: WorkflowStatus.FAILED,
}
"""Where a workflow stands whose run is in a status."""


ENDS_FOR_RESUME: Final = {Run.COLD_RESUME, Run.HOT_RESUME}
RESUMES: Final = {"set_resume cold", "set_resume hot"}
LINKS: Final = {"link", "link of a rival"}
ASKING: Final = LINKS | {"is_resumable", "set_resume_state"}
"""Who asks whether a run may be linked ends one whose client is late."""
CLEANUP: Final = {"force_cleanup_kill_self"}
REPORTED: Final = {"log_no_distributor_id", "log_running", "log_done", "log_error_worker_node"}
"""About the instance."""


class Tasks(Enum):
    """How the first task's instance and both tasks stand."""

    QUEUED = "Q", "Q", "G"
    RUNNING = "R", "R", "G"
    TOLD_TO_STOP = "K", "R", "G"
    DONE = "D", "D", "D"
    NEW = None, "G", "G"

    @property
    def instance(self) -> TaskInstanceStatus | None:
        """The instance's status; None without one."""
        return TaskInstanceStatus(self.value[0]) if self.value[0] else None

    @property
    def started(self) -> TaskStatus:
        """The status of the task with the instance."""
        return TaskStatus(self.value[1])

    @property
    def ready(self) -> TaskStatus:
        """The other task's status."""
        return TaskStatus(self.value[2])


class RunStart(NamedTuple):
    """How a workflow, its run and its tasks stand."""

    run: WorkflowRunStatus | None
    """None: no run was ever linked."""
    late: bool = False
    """Its client has not reported in time."""
    tasks: Tasks = Tasks.QUEUED
    bound: bool = True
    """Whether its last tasks are bound."""
    resume: str = ""
    """The resume that was requested."""

    @property
    def name(self) -> str:
        """In letters and words."""
        tasks = "" if self.tasks is Tasks.QUEUED else f", tasks {self.tasks.name.lower().replace('_', ' ')}"
        resume = f" resume {self.resume}" if self.resume else ""
        return f"run {self.run or 'none'}{' late' * self.late}{resume}{tasks}{', not bound' * (not self.bound)}"

    @property
    def ended_by(self) -> set[str]:
        """The requests that end it for a resume."""
        ends = self.run in ENDS_FOR_RESUME
        return (RESUMES | (ASKING if ends else set())) if self.late else set()

    def in_two_steps(self, one: str, other: str) -> bool:
        """Whether one of two requests ends the run and then does its own, and the other may come in between."""
        steps = self._steps()
        return any(
            first in ends and second in between
            for ends, between in steps
            for first, second in ((one, other), (other, one))
        )

    def _steps(self) -> list[tuple[set[str], set[str]]]:
        """Requests that end the run and then do their own, with those that see what stands in between."""
        steps = [(self.ended_by, {"log_heartbeat"})]
        if self.late:
            steps.append((LINKS, {"bind_workflow"}))
        if self.tasks not in {Tasks.RUNNING, Tasks.TOLD_TO_STOP}:
            return steps
        steps.append((self.ended_by, REPORTED | {"terminate_task_instances"}))
        if self.run in ENDS_FOR_RESUME:
            steps += [
                (CLEANUP, REPORTED | {"is_resumable", "terminate_task_instances"}),
                ({"update_status T"}, {"is_resumable"}),
            ]
        return steps

    def steps(self, meeting: set[str]) -> set[str]:
        """The requests that do a step of those that meet, if another one may come between their steps."""
        resumes = RESUMES & meeting
        return {"is_resumable"} | resumes if self.late and resumes and LINKS & meeting else set()

    def table(self) -> Table:
        """The table in which they stand so."""
        with calls_in_memory() as memory, running_on(VirtualTime(START)):
            load(Seed.model_validate(self._seed()))
        return Table({**memory.items, **dict(map(_lookup, (STARTED, READY))), **self._run(memory.items)})

    def _run(self, items: Mapping[Key, Item]) -> Mapping[Key, Item]:
        if self.run is None:
            return {}
        reports_by = START + (-1.0 if self.late else AHEAD_SECONDS)
        run = {
            **items[WorkflowRun.key(RUN)],
            "status": {"S": self.run},
            "heartbeat_date": {"N": str(reports_by)},
            "workflow_id": {"N": str(WORKFLOW)},
        }
        key = Workflow.key(WORKFLOW)
        workflow = {**items[key], **({"resume": {"S": self.resume}} if self.resume else {})}
        if self.run in RUN_ENDED:
            del workflow["workflow_run_id"]
        return {WorkflowRun.key(RUN): run, key: workflow}

    def _seed(self) -> dict[str, Any]:
        status = WorkflowStatus.REGISTERING if self.run is None else FOLLOWS[self.run]
        held = {} if self.run is None else {"workflow_run_id": RUN}
        attempted = self.tasks.instance is not None
        return {
            "tools": [{"tool_id": 1, "name": "tool", "tool_version_ids": [1]}],
            "workflows": [{"workflow_id": WORKFLOW, "status": status, "bound": self.bound, **held}],
            "arrays": [AN_ARRAY],
            "tasks": [
                a_task(STARTED, self.tasks.started, int(attempted)),
                a_task(READY, self.tasks.ready, int(self.tasks is Tasks.DONE)),
            ],
            "task_instances": [an_instance(STARTED, 1, self.tasks.instance, RUN)] if self.tasks.instance else [],
        }


def _lookup(task_id: int) -> tuple[Key, Item]:
    """A task's entry under the node with its number."""
    key = TaskLookup.key(WORKFLOW, task_id, ARGUMENTS)
    return key, {"pk": {"S": key[0]}, "sk": {"S": key[1]}, "id": {"N": str(task_id)}}


HELD: Final = tuple(run for run in FOLLOWS if run not in RUN_ENDED)
RUN_STARTS: Final = (
    *map(RunStart, FOLLOWS),
    *(RunStart(run, late=True) for run in HELD),
    *(
        RunStart(run, late=late, tasks=tasks)
        for tasks in (Tasks.RUNNING, Tasks.TOLD_TO_STOP, Tasks.DONE)
        for run in (Run.RUNNING, Run.COLD_RESUME, Run.HOT_RESUME)
        for late in (False, True)
    ),
    *(RunStart(Run.ERROR, tasks=tasks) for tasks in (Tasks.RUNNING, Tasks.TOLD_TO_STOP, Tasks.DONE)),
    *(RunStart(Run.ERROR, resume=resume) for resume in "CH"),
    *(RunStart(None, tasks=Tasks.NEW, bound=bound) for bound in (False, True)),
)


def _link(user: str) -> Request:
    return asked("create_workflow_run", workflow_id=WORKFLOW, user=user, next_report_increment=90)


def _bind_workflow(task_hash: int) -> Request:
    """Bind the workflow of the starts, whose hashes are 1, or another one."""
    key = {"tool_version_id": 1, "dag_id": 1, "workflow_args_hash": 1, "task_hash": task_hash}
    return asked("bind_workflow", **key, name="w", max_concurrently_running=5, workflow_attributes={"of": "all"})


def _bind_tasks(*nodes: int, reset_if_running: bool) -> Request:
    """Bind the workflow's last tasks: each of a node."""
    rows = {str(node): [node, ARGUMENTS, ARRAY, RESOURCES, "t", "other command", 3, reset_if_running] for node in nodes}
    return asked("bind_tasks_no_args", workflow_id=WORKFLOW, mark_created=True, tasks=rows)


FAILED: Final = {"nodename": "node", "error_state": "F", "error_description": "told to stop"}
CLAIM: Final = {"nodename": "node", "process_group_id": 1, "next_report_increment": 90}
QUEUED: Final = {"task_ids": [READY], "task_resources_id": 1, "workflow_run_id": RUN}
ABOUT_WORKFLOW: Final = {
    "link": _link("ann"),
    "link of a rival": _link("bob"),
    **{f"update_status {letter}": asked("update_workflow_run_status", RUN, status=letter) for letter in "BAIORDEST"},
    "log_heartbeat": asked("log_workflow_run_heartbeat", RUN, status="R", next_report_increment=90),
    "set_resume cold": asked("set_resume", WORKFLOW, reset_running_jobs=True),
    "set_resume hot": asked("set_resume", WORKFLOW, reset_running_jobs=False),
    "is_resumable": asked("is_resumable", WORKFLOW),
    "force_cleanup_kill_self": asked("force_cleanup_kill_self", WORKFLOW),
    "set_resume_state": asked("set_resume_state", WORKFLOW, reset_if_running=True),
    "terminate_task_instances": asked("terminate_task_instances", RUN),
    "queue_task_batch": asked("queue_task_batch", ARRAY, **QUEUED),
    "log_no_distributor_id": asked("log_no_distributor_id", INSTANCE, no_id_err_msg="none"),
    "log_running": asked("log_running", INSTANCE, **CLAIM),
    "log_done": asked("log_done", INSTANCE, nodename="node"),
    "log_error_worker_node": asked("log_error_worker_node", INSTANCE, **FAILED),
    "instantiate_task_instances": asked("instantiate_task_instances", task_instance_ids=[INSTANCE]),
    "bind_workflow": _bind_workflow(task_hash=1),
    "bind_workflow of another": _bind_workflow(task_hash=2),
    "bind_tasks_no_args": _bind_tasks(STARTED, READY, reset_if_running=True),
    "bind_tasks_no_args of a new task": _bind_tasks(NEW, reset_if_running=False),
}
"""The requests that bind or move a workflow, its run or what the run has started."""
