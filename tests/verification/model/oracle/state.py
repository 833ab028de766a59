"""What the oracle knows: workflows, runs, tasks, instances; and the forms in which replies write it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lockstep.fsm.statuses import TaskInstanceStatus

ENDED = "DEFUZW"
RUN_ENDED = "ADEST"
SAID = ("distributor_id", "nodename", "process_group_id", "stdout", "stderr", "stdout_log", "stderr_log")


class Unknown(Exception):  # noqa: N818  # an answer, not an error
    """404: there is no such thing."""


class Refused(Exception):  # noqa: N818  # as above
    """422: what was sent does not fit, and changes nothing."""


@dataclass
class Task:
    id: int
    bound: tuple[int, list[Any]]
    """Its workflow, and the row that bound it last."""
    status: str = "G"
    attempts: int = 0
    made: int = 0
    changed: tuple[float, str] | None = None
    """When it came to a status that its workflow's client acts on, and to which."""

    @property
    def left(self) -> bool:
        """Whether it may be tried again."""
        return self.attempts < int(self.bound[1][6])


@dataclass
class Instance:
    id: int
    task: Task
    run: int
    place: tuple[int, int, int]
    resources: int
    since: float
    status: str = "Q"
    report_by: float | None = None
    reported: tuple[float, bool] = (0.0, False)
    """When report_by was set, and whether it was RUNNING then: a sweep is held to that."""
    taken: float = 0.0
    said: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(SAID))
    claim: tuple[float, Any, Any, Any] | None = None
    """When the worker node that runs it claimed it, its job, node and process."""
    launched: Any = None
    """The job that the distributor has said last."""
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def latest(self) -> bool:
        return self.id % 1000 == self.task.made

    def is_of_another_worker(self, distributor_id: str | None, nodename: str | None = None) -> bool:
        """Whether the names contradict those of the claim."""
        if self.claim is None:
            return False
        pairs = zip(self.claim[1:3], (distributor_id, nodename), strict=True)
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def is_of_another_job(self, distributor_id: str | None) -> bool:
        """Whether a distributor speaks of a job that is neither the one it launched nor the one that claimed it."""
        known = self.launched, self.claim[1] if self.claim else None
        return None not in (self.launched, distributor_id) and distributor_id not in known


@dataclass
class Run:
    heard: float
    """When its client will be heard of."""
    workflow: int = 0
    client: tuple[Any, Any] = (None, None)
    """Its user, and the version of its Jobmon."""
    since: float = 0.0
    status: str = "L"
    succeeded: float = 0.0
    """When a distributor came after another one."""
    after_resume: bool = False
    """Whether a resume was requested before it was linked."""


@dataclass
class Workflow:
    since: float
    key: tuple[str, int, int, str] | None = None
    """Hash of its arguments, tool version, DAG, hash of its tasks; none if nobody bound it."""
    status: str = "G"
    holder: int | None = None
    """Its run that has not ended."""
    created: float | None = None
    """When all its tasks were bound."""
    resume: str = ""
    """How a resume was last requested."""
    linked_since: float | None = None
    """When a run was linked since."""
    limit: int | None = None
    named: tuple[Any, Any] = (None, None)
    """Its name and its description."""
    arguments: Any = None
    attributes: dict[str, Any] = field(default_factory=dict)


class State:
    """Everything that the API has been told, and what became of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.skewed = False
        self.workflows: dict[int, Workflow] = {}
        self.last_workflow = 0
        """The last id that was given out to one."""
        self.tasks: dict[int, Task] = {}
        self.instances: dict[int, Instance] = {}
        self.runs: dict[int, Run] = {}
        self.arrays: dict[tuple[int, int], int] = {}
        self.named: dict[int, list[Any]] = {}
        self.bound: dict[tuple[int, int, str], Task] = {}
        self.resources: dict[int, dict[str, Any]] = {}
        self.steps: dict[tuple[int, int, int], int] = {}
        self.late: dict[int, str] = {}
        """What the last sweep may have left to a later one: where it goes, by instance."""
        self.walked: Counter[tuple[str, str]] = Counter()

    def instance(self, task_instance_id: int) -> Instance:
        if task_instance_id not in self.instances:
            raise Unknown
        return self.instances[task_instance_id]

    def workflow(self, workflow_id: int) -> Workflow:
        if workflow_id not in self.workflows:
            raise Unknown
        return self.workflows[workflow_id]

    def hear(self, i: Instance, increment: float | None = None, error: str | None = None, **said: Any) -> None:
        i.said |= {name: said[name] for name in SAID if said.get(name) is not None}
        if increment is not None:
            i.report_by, i.reported = self.now + increment, (self.now, False)
        if error is not None:
            i.errors.setdefault(error, self.now)

    def store_resources(self, requested: dict[str, Any]) -> int:
        self.resources[len(self.resources) + 1] = requested
        return len(self.resources)

    def these(self, ids: Iterable[int]) -> list[Instance]:
        return [self.instances[number] for number in ids if number in self.instances]

    def of_batch(self, array: int, batch: int, statuses: str) -> list[Instance]:
        return [i for i in self.instances.values() if i.place[:2] == (array, batch) and i.status in statuses]

    def of_run(self, run: int, statuses: str) -> list[Instance]:
        return sorted((i for i in self.instances.values() if i.run == run and i.status in statuses), key=lambda i: i.id)

    def of_workflow(self, workflow_id: int) -> list[Task]:
        """Its tasks, by id."""
        return [task for task in self.tasks.values() if task.bound[0] == workflow_id]

    def of_an_earlier_distributor(self, i: Instance) -> bool:
        """Whether its run has had another distributor since it was taken."""
        return max(i.since, i.taken) < self.runs.get(i.run, Run(0.0)).succeeded


def grouped(told: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for status, number in sorted(told):
        groups.setdefault(status, []).append(number)
    return groups


def name(status: str) -> str:
    return TaskInstanceStatus(status).name


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def naive(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
