"""What every request must be answered, and what stands after it: the rules once more, in plain Python.

Written from the tables that docs/state-machine.md shows and from what docs/departures.md and the decisions say, not
from lockstep.transitions, which it judges. A route is a method: it moves the state and returns the reply's body.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus


def pairs(text: str) -> set[str]:
    """Moves, from one letter to another."""
    return set(text.split())


VALID = pairs("QI QK IO IW IK IR OR OU OX OZ OK OF RT RE RU RZ RK RD TR TZ TU TF KF KD XE")
UNTIMELY = pairs("RO EO EU EE UD UE UZ ZU DU KE KZ KU")
TASK_MOVES = pairs("GQ AQ QI IO IR IE OR OE RD RE EA EQ EG EF")
RUN_MOVES = pairs("GL LB LA BI BE BC BH IO IE OR OE RD RE RS RC RH CT HT")
DISTRIBUTED = set("ORDESCHT")
"""A run in one of these has had a distributor that was up."""
BUFFER = 279.0
"""Seconds that what needs attention may wait for a distributor; a launched instance may be silent for twice as long."""
ENDED = "DEFUZW"
SAID = ("distributor_id", "nodename", "process_group_id", "stdout", "stderr", "stdout_log", "stderr_log")


class Unknown(Exception):  # noqa: N818  # an answer, not an error
    """404: there is no such thing."""


class Refused(Exception):  # noqa: N818  # as above
    """422: what was sent does not fit, and changes nothing."""


@dataclass
class Task:
    id: int
    bound: tuple[int, list[Any]]
    status: str = "G"
    attempts: int = 0
    made: int = 0


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


@dataclass
class Run:
    heard: float
    """When its client will be heard of."""
    workflow: int = 0
    status: str = "L"
    succeeded: float = 0.0
    """When a distributor came after another one."""


class Oracle:
    def __init__(self) -> None:
        self.now = 0.0
        self.skewed = False
        self.tasks: dict[int, Task] = {}
        self.instances: dict[int, Instance] = {}
        self.runs: dict[int, Run] = {}
        self.arrays: dict[tuple[int, int], int] = {}
        self.named: dict[int, list[Any]] = {}
        self.bound: dict[tuple[int, int, str], Task] = {}
        self.directories: dict[int, tuple[Any, Any]] = {}
        self.steps: dict[tuple[int, int, int], int] = {}
        self.late: dict[int, str] = {}
        """What the last sweep may have left to a later one: where it goes, by instance."""
        self.walked: Counter[tuple[str, str]] = Counter()

    # The two tables.

    def ruling(self, source: str, task: str, target: str, *, left: bool, latest: bool) -> tuple[str, str] | None:
        """validate_transition: where the instance and its task go; None where that is refused."""
        if source + target in UNTIMELY or source + target not in VALID:
            self.walked["untimely", source + target] += source + target in UNTIMELY
            return None
        if source + target == "TR" and task == "R" and latest:
            return "R", "R"
        if task in "DF" and target in "WEUZF":
            self.walked["orphan", source + target] += 1
            return "F", task
        through, end = self.follows(target, task, left=left)
        if task + through in TASK_MOVES and not latest:
            self.walked["earlier attempt", source + target] += 1
            return None if target in "IOR" else (target, task)
        self.walked["task", task + through] += task + through in TASK_MOVES
        self.walked["task", through + end] += task + through in TASK_MOVES and through != end
        return (target, end) if task + through in TASK_MOVES else None

    def follows(self, target: str, task: str, *, left: bool) -> tuple[str, str]:
        """get_new_task_status: what the task passes through, and where it ends."""
        if target in "QIORD":
            return target, target
        if target == "F" or (target in "WEUZ" and not left):
            return "E", "F"
        return ("E", "A" if target == "Z" else "G") if target in "WEUZ" else (task, task)

    def move(self, i: Instance, target: str, *, through: bool = False, stays: bool = False, source: str = "") -> bool:
        """Whether the pair moved. through: by way of RUNNING, a worker node speaks. stays: though its task cannot."""
        source, task = source or i.status, i.task.status
        on = {"left": i.task.attempts < i.task.bound[1][6], "latest": i.latest}
        to = self.ruling(source, task, target, **on)
        if to is None and through and source == "T" and (running := self.ruling("T", task, "R", **on)):
            self.walked["instance", "TR"] += 1
            source, (_, task) = "R", running
            to = self.ruling(source, task, target, **on)
        if to is None and stays and source + target in VALID:
            to = target, task
        if to is None:
            return False
        self.walked["instance", source + to[0]] += source + to[0] in VALID
        i.since = self.now if i.status != to[0] else i.since
        i.status, i.task.status = to
        return True

    def instance(self, task_instance_id: int) -> Instance:
        if task_instance_id not in self.instances:
            raise Unknown
        return self.instances[task_instance_id]

    def hear(self, i: Instance, increment: float | None = None, error: str | None = None, **said: Any) -> None:
        i.said |= {name: said[name] for name in SAID if said.get(name) is not None}
        if increment is not None:
            i.report_by, i.reported = self.now + increment, (self.now, False)
        if error is not None:
            i.errors.setdefault(error, self.now)

    # What a workflow consists of.

    def create_array(self, *, workflow_id: int, task_template_version_id: int, **more: Any) -> Any:
        key = workflow_id, task_template_version_id
        array = self.arrays.setdefault(key, len(self.arrays) + 1)
        name, _, batches = self.named.get(array, [more["name"], 0, 0])
        self.named[array] = [name, more["max_concurrently_running"], batches]
        return {"array_id": array}

    def bind_resources(self, *, queue_id: int, requested_resources: dict[str, Any]) -> Any:
        assert queue_id
        self.directories[len(self.directories) + 1] = (
            requested_resources.get("stdout"),
            requested_resources.get("stderr"),
        )
        return len(self.directories)

    def bind_tasks_no_args(self, *, workflow_id: int, tasks: dict[str, list[Any]], **_: Any) -> Any:
        if any(row[2] not in self.named for row in tasks.values()):
            raise Refused
        keys = {name: (workflow_id, row[0], str(row[1])) for name, row in tasks.items()}
        for key, row in {keys[name]: row for name, row in tasks.items()}.items():
            task = self.bound.get(key)
            if task is None:
                task = self.bound[key] = self.tasks[len(self.tasks) + 1] = Task(len(self.tasks) + 1, (workflow_id, row))
            elif task.status != "D" and (task.status != "R" or row[7]):
                task.status, task.attempts, task.bound = "G", 0, (workflow_id, row)
        return {"tasks": {name: [self.bound[key].id, self.bound[key].status] for name, key in keys.items()}}

    def queue_task_batch(self, array: int, *, task_ids: list[int], task_resources_id: int, workflow_run_id: int) -> Any:
        asked = [self.tasks[number] for number in sorted(set(task_ids)) if number in self.tasks]
        ready = [task for task in asked if task.status in "GA" and task.bound[1][2] == array]
        if ready:
            self.named[array][2] += 1
        if workflow_run_id in self.runs and self.runs[workflow_run_id].status in "CHDESAT":
            ready = []
        for step, task in enumerate(ready):
            self.walked["task", task.status + "Q"] += 1
            task.status, task.attempts, task.made = "Q", task.attempts + 1, task.made + 1
            number, place = task.id * 1000 + task.made, (array, self.named[array][2], step)
            self.instances[number] = Instance(number, task, workflow_run_id, place, task_resources_id, self.now)
            self.steps[place] = number
        return {"tasks_by_status": grouped((task.status, task.id) for task in asked)}

    # The distributor.

    def instantiate_task_instances(self, *, task_instance_ids: list[int]) -> Any:
        batches: dict[tuple[int, int, int], list[int]] = {}
        for i in self.these(dict.fromkeys(task_instance_ids)):
            if i.status == "I" and i.task.status == "I" and i.latest:
                i.taken = self.now if self.of_an_earlier_distributor(i) else i.taken
            elif i.status != "Q" or not self.move(i, "I"):
                continue
            batches.setdefault((*i.place[:2], i.resources), []).append(i.id)
        return {
            "task_instance_batches": [
                [array, self.named[array][0], batch, resources, sorted(ids)]
                for (array, batch, resources), ids in sorted(batches.items())
            ]
        }

    def of_an_earlier_distributor(self, i: Instance) -> bool:
        """Whether its run has had another distributor since it was taken."""
        return max(i.since, i.taken) < self.runs.get(i.run, Run(0.0)).succeeded

    def these(self, ids: Iterable[int]) -> list[Instance]:
        return [self.instances[number] for number in ids if number in self.instances]

    def of_batch(self, array: int, batch: int, statuses: str) -> list[Instance]:
        return [i for i in self.instances.values() if i.place[:2] == (array, batch) and i.status in statuses]

    def transition_to_launched(self, array: int, *, batch_number: int, next_report_increment: float) -> Any:
        for i in self.of_batch(array, batch_number, "I"):
            if self.move(i, "O"):
                self.hear(i, next_report_increment)
        return {}

    def transition_to_killed(self, array: int, *, batch_number: int) -> Any:
        for i in self.of_batch(array, batch_number, "K"):
            self.move(i, "F", stays=True)
        return {}

    def array_log_distributor_id(self, array: int, **ids: str) -> Any:
        for i in self.these(int(key) for key in ids if key.isdigit()):
            if i.place[0] == array:
                self.hear(i, distributor_id=ids[str(i.id)])
                i.launched = ids[str(i.id)]
        return {"success": True}

    def log_distributor_id(self, number: int, *, next_report_increment: float, distributor_id: str) -> Any:
        i = self.instance(number)
        if i.status in ENDED and self.is_other_job(i, distributor_id):
            return {"message": f"Unable to transition to launched from {i.status}"}
        self.hear(i, next_report_increment, distributor_id=distributor_id)
        i.launched = distributor_id
        if i.status in "DEF":
            return {"message": "Task instance in final state, no transition needed"}
        moved, i.reported = self.move(i, "O"), (self.now, i.status == "R")
        if moved:
            return {"message": "Task instance transitioned to LAUNCHED"}
        return {"message": f"Unable to transition to launched from {i.status}"}

    def log_no_distributor_id(self, number: int, *, no_id_err_msg: str) -> Any:
        i = self.instance(number)
        self.hear(i, error=no_id_err_msg)
        if self.move(i, "W"):
            return {"message": ""}
        if i.status == "W":
            why = "Attempting to transition to existing state.Not transitioning task, tid= {} from {} to W"
        else:
            why = "Illegal state transition. Not transitioning task, tid={}, from {} to W"
        return {"message": why.format(number, i.status)}

    def log_report_by_batch(self, *, task_instance_ids: list[int], next_report_increment: float) -> Any:
        for i in self.these(task_instance_ids):
            if i.status == "O":
                self.hear(i, next_report_increment)
        return {}

    # The worker node.

    def get_array_task_instance_id(self, array: int, batch: int, step: int) -> Any:
        place = array, batch, step
        if place not in self.steps:
            raise Unknown
        return {"task_instance_id": self.steps[place]}

    def log_running(self, number: int, *, next_report_increment: float, process_group_id: int, **who: Any) -> Any:
        i = self.instance(number)
        who["process_group_id"] = int(process_group_id)
        told = i.status
        expected = i.status in "RT" and i.report_by is not None and i.report_by >= self.now
        same, again = self.claims(i, **who)
        given_up = i.status == "R" and not i.latest and not (expected and same)
        if given_up or (expected and not (same or again)):
            told = "K"
        elif not (i.status in ENDED and i.claim and not same):
            self.hear(i, **who)
            instead = {"K": "F", "X": "E"}.get(i.status)
            if i.status == "R" or self.move(i, "R") or (instead and self.move(i, instead)):
                self.hear(i, next_report_increment)
                i.claim = self.now, who.get("distributor_id"), who.get("nodename"), who["process_group_id"]
                i.reported = self.now, i.status == "R"
            told = i.status
        (workflow, row), (out, err) = i.task.bound, self.printed_to(i)
        return {"task_instance": [number, told, i.run, i.task.id, row[4], row[5], workflow, out, err]}

    def claims(
        self, i: Instance, *, process_group_id: int, distributor_id: str | None = None, nodename: str | None = None
    ) -> tuple[bool, bool]:
        """Whether the worker node that holds the claim asks again, and whether its job was started again."""
        if i.claim is None:
            return False, False
        at, job, node, process = i.claim
        if None not in (job, distributor_id) and job != distributor_id:
            return False, False
        if (node, process) == (nodename, process_group_id):
            return self.now >= at + 0.95 or i.status not in "RT", False
        return False, None not in (job, distributor_id) and self.now >= at + 30

    def is_other_worker(self, i: Instance, distributor_id: str | None, nodename: str | None = None) -> bool:
        """Whether the names contradict those of the claim."""
        if i.claim is None:
            return False
        pairs = zip(i.claim[1:3], (distributor_id, nodename), strict=True)
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def is_other_job(self, i: Instance, distributor_id: str | None) -> bool:
        """Whether a distributor speaks of a job that is neither the one it launched nor the one that claimed it."""
        return None not in (i.launched, distributor_id) and distributor_id not in (
            i.launched,
            i.claim[1] if i.claim else None,
        )

    def printed_to(self, i: Instance) -> tuple[Any, Any]:
        return self.directories.get(i.resources) or self.directories.get(i.task.bound[1][3]) or (None, None)

    def log_report_by(self, number: int, *, next_report_increment: float, **said: Any) -> Any:
        i = self.instance(number)
        if self.is_other_worker(i, said.get("distributor_id")):
            return {"status": stopped(i)}
        self.hear(i, next_report_increment, **said)
        if i.status == "T":
            self.move(i, "R")
        i.reported = self.now, i.status == "R"
        return {"status": i.status}

    def log_done(self, number: int, **said: Any) -> Any:
        i = self.instance(number)
        if self.is_other_worker(i, said.get("distributor_id"), said.get("nodename")):
            return {"status": stopped(i)}
        self.hear(i, **said)
        self.move(i, "D", through=True)
        return {"status": i.status}

    def log_error_worker_node(self, number: int, *, error_state: str, error_description: str, **said: Any) -> Any:
        i = self.instance(number)
        if self.is_other_worker(i, said.get("distributor_id"), said.get("nodename")):
            return {"status": stopped(i)}
        self.hear(i, error=error_description, **said)
        self.move(i, error_state, through=True)
        return {"status": i.status}

    # Triage.

    def log_known_error(self, number: int, *, error_state: str, error_message: str, **said: Any) -> Any:
        i = self.instance(number)
        if self.is_other_job(i, said.get("distributor_id")):
            return {"message": f"The task instance is {i.status} and it runs as another job"}
        self.hear(i, **said)
        if self.move(i, error_state):
            self.hear(i, error=error_message)
            return {"message": ""}
        why = (
            "Already in error state"
            if i.status == error_state
            else f"Invalid transition from {i.status} to {error_state}"
        )
        return {"message": why}

    def log_unknown_error(self, number: int, *, error_state: str, error_message: str, **said: Any) -> Any:
        i = self.instance(number)
        overdue = i.report_by is not None and i.report_by < self.now
        if overdue or self.is_other_job(i, said.get("distributor_id")):
            return self.log_known_error(number, error_state=error_state, error_message=error_message, **said)
        self.hear(i, **said)
        why = "it is not overdue: it reported meanwhile, or was never due"
        return {"message": f"The task instance is {i.status} and {why}"}

    # The run.

    def create_workflow_run(self, *, workflow_id: int, next_report_increment: float, **_: Any) -> Any:
        self.runs[len(self.runs) + 1] = Run(self.now + next_report_increment, workflow_id)
        return {"workflow_run_id": len(self.runs), "status": "L"}

    def move_run(self, run: int, r: Run, status: str) -> None:
        """A run that has stopped for another one leaves nothing; one that was told to stop may have done all."""
        of_workflow = [task.status for (workflow, *_), task in self.bound.items() if workflow == r.workflow]
        if r.status in "CH" and status == "D" and set(of_workflow) == {"D"}:
            r.status = "D"
        if r.status + status in RUN_MOVES:
            if status == "T":
                self.terminate_task_instances(run)
            r.status = status

    def log_workflow_run_heartbeat(self, run: int, *, status: str, next_report_increment: float) -> Any:
        if run not in self.runs:
            raise Unknown
        r = self.runs[run]
        r.heard = self.now + next_report_increment
        self.move_run(run, r, status)
        return {"status": r.status}

    def update_workflow_run_status(self, run: int, *, status: str) -> Any:
        if run not in self.runs:
            raise Unknown
        r = self.runs[run]
        self.move_run(run, r, status)
        r.succeeded = self.now if status == "I" and r.status in DISTRIBUTED else r.succeeded
        return {"status": r.status}

    def of_run(self, run: int, statuses: str) -> list[Instance]:
        return sorted((i for i in self.instances.values() if i.run == run and i.status in statuses), key=lambda i: i.id)

    def sync_status(self, run: int, *, task_instance_ids: list[int], status: str) -> Any:
        r = self.runs.get(run, Run(0.0))
        listed = [i for i in self.these(set(task_instance_ids)) if i.run == run]
        told = [(self.shown(i, status), i.id) for i in listed if self.shown(i, status) != status]
        kept = (r.succeeded and status != "Q") or (r.status in DISTRIBUTED and status in "OR")
        if status in "QIORTXK" and not kept:
            others = (i for i in self.of_run(run, "QIORTXK") if i not in listed)
            told += [(status, i.id) for i in others if self.shown(i, status) == status]
        return {"status_updates": grouped(told), "time": naive(self.now)}

    def shown(self, i: Instance, polled: str) -> str:
        """A distributor's successor is to take what was taken before it came, and not launched."""
        return "Q" if i.status == "I" and polled == "Q" and self.of_an_earlier_distributor(i) else i.status

    def terminate_task_instances(self, run: int) -> Any:
        stopped = self.of_run(run, "QIO" if self.runs.get(run, Run(0.0)).status == "H" else "QIOR")
        for i in stopped:
            starts = i.status not in "QI"
            to = "KILL_SELF" if starts else "ERROR_FATAL"
            beside = "" if starts else " (no worker to clean up)"
            self.hear(i, error=f"Workflow resume requested. Setting to {to} from status: {i.status}{beside}")
            if not starts:
                self.move(i, "F", stays=True, source="K")
            else:
                self.move(i, "K", stays=True)
        return {"workflow_run_id": run, "num_terminated": len(stopped)}

    def set_status_for_triaging(self, run: int) -> Any:
        for i in self.of_run(run, "TXK"):
            silent = i.report_by is not None and i.report_by < self.now
            if i.since + BUFFER < self.now and (silent or i.status == "X"):
                self.hear(
                    i, error=f"Nobody settled it in 279 s while it was {name(i.status)}: its distributor is gone."
                )
                self.move(i, {"T": "U", "X": "E", "K": "F"}[i.status], stays=True)
        for i in self.of_run(run, "RO"):
            self.sweep(i)
        return {}

    def sweep(self, i: Instance) -> None:
        """What is overdue moves; but a sweep looks at batches only when they are due, which may be a little later."""
        if i.report_by is None:
            return
        (reported, running), target = i.reported, {"R": "T", "O": "X"}[i.status]
        due = max(i.report_by, i.since + 2 * BUFFER) if i.status == "O" else i.report_by
        grace = 0.04 * BUFFER + 1 if running and i.status == "R" else BUFFER + 1
        if due < self.now and not self.skewed and max(due, i.since, reported) + grace < self.now:
            self.move(i, target, stays=True)
        elif due < self.now:
            self.late[i.id] = target

    # What people read.

    def get_task_instance(self, number: int) -> Any:
        i = self.instance(number)
        array, batch, step = i.place
        workflow, row = i.task.bound
        return {
            "task_instance": {
                "task_instance_id": number,
                "status": i.status,
                "status_name": name(i.status),
                "status_date": iso(i.since),
                "report_by_date": None if i.report_by is None else iso(i.report_by),
                "workflow_run_id": i.run,
                "array_id": array,
                "array_batch_num": batch,
                "array_step_id": step,
                "task_resources_id": i.resources,
                **i.said,
            },
            "task": {
                "task_id": i.task.id,
                "status": i.task.status,
                "status_name": TaskStatus(i.task.status).name,
                "num_attempts": i.task.attempts,
                "max_attempts": row[6],
                "workflow_id": workflow,
                "array_id": row[2],
                "name": row[4],
                "command": row[5],
            },
        }

    def task_instance_error_log(self, number: int) -> Any:
        """Without their ids; what was said in one moment is in no order."""
        return sorted((naive(at), words) for words, at in self.instance(number).errors.items())


def grouped(told: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for status, number in sorted(told):
        groups.setdefault(status, []).append(number)
    return groups


def stopped(i: Instance) -> str:
    """What a worker node is told that another one has taken over from."""
    return i.status if i.status in ENDED else "K"


def name(status: str) -> str:
    return TaskInstanceStatus(status).name


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def naive(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
