"""Workflow runs: their moves, with the workflow that each holds; polls, sweeps, the end of what they started."""

from typing import Any

from tests.verification.model.oracle.rulings import Rulings, pairs
from tests.verification.model.oracle.state import RUN_ENDED, Instance, Run, Unknown, Workflow, grouped, naive, name

RUN_MOVES = pairs("GL LB LA BI BE BC BH IO IE OR OE RD RE RS RC RH CT HT")
FOLLOWS = {
    "B": ("Q", "G"),
    "A": ("A", "G"),
    "I": ("I", "Q"),
    "O": ("O", "I"),
    "R": ("R", "O"),
    "D": ("D", "QIOR"),
    "E": ("F", "QIOR"),
    "S": ("F", "QIOR"),
    "T": ("H", "QIOR"),
}
"""Where a workflow goes when the run that holds it comes to a status, and from where."""
FREE = "GFHA"
"""A workflow in one of these may be given to a run, if none holds it."""
GIVEN_UP = {"L": "A", "B": "E", "I": "E", "O": "E", "R": "E", "C": "T", "H": "T"}
"""Where a run goes whose client has not reported in time, once another one wants its workflow."""
DISTRIBUTED = set("ORDESCHT")
"""A run in one of these has had a distributor that was up."""
RUN_NAMES = {
    "L": "linking",
    "B": "bound",
    "I": "instantiated",
    "O": "launched",
    "R": "running",
    "C": "cold resume",
    "H": "hot resume",
}
BUFFER = 279.0
"""Seconds that what needs attention may wait for a distributor; a launched instance may be silent for twice as long."""


class WorkflowRuns(Rulings):
    """The routes about a run."""

    def create_workflow_run(
        self, *, workflow_id: int, next_report_increment: float, user: Any = None, jobmon_version: Any = None
    ) -> Any:
        workflow, client = self.workflows.get(workflow_id), (user, jobmon_version)
        if workflow is None:
            return _not_linked(f"No workflow exists for ID {workflow_id}")
        holder = self.free(workflow)
        if holder and workflow.holder and self._links_again(holder, client):
            return {"workflow_run_id": workflow.holder, "status": "L"}
        if holder:
            return _not_linked(f"WorkflowRun {workflow.holder} holds the workflow: it is {RUN_NAMES[holder.status]}")
        if workflow.created is None or workflow.status not in FREE:
            return _not_linked(f"Workflow {workflow_id} is not in a resume-able state")
        number = len(self.runs) + 1
        self.runs[number] = Run(self.now + next_report_increment, workflow_id, client, self.now)
        workflow.holder, workflow.status, workflow.since = number, "G", self.now
        workflow.linked_since = self.now
        self.runs[number].after_resume = bool(workflow.resume)
        self.walked["run", "GL"] += 1
        return {"workflow_run_id": number, "status": "L"}

    def _links_again(self, holder: Run, client: tuple[Any, Any]) -> bool:
        """Whether it repeats a call whose reply was lost: after a second at the earliest, a minute at the latest."""
        return holder.client == client and holder.status == "L" and 0.9 <= self.now - holder.since <= 60

    def free(self, workflow: Workflow) -> Run | None:
        """The run that holds it and goes on. One whose client has not reported in time ends."""
        number = workflow.holder
        if number is None:
            return None
        run = self.runs[number]
        if run.heard >= self.now:
            return run
        self.end_run(number, GIVEN_UP[run.status])
        return None

    def end_run(self, number: int, status: str) -> None:
        """A run that has stopped for another one leaves nothing that may still start."""
        if status == "T":
            self.terminate_task_instances(number)
        self.bring_run(number, status)

    def bring_run(self, number: int, status: str) -> None:
        """Its workflow goes with it; one that has ended lets it go."""
        run = self.runs[number]
        self.walked["run", run.status + status] += 1
        run.status, run.since = status, self.now
        workflow = self.workflows[run.workflow]
        if workflow.holder != number:
            return
        follows, sources = FOLLOWS.get(status, ("", ""))
        if workflow.status in sources:
            workflow.status, workflow.since = follows, self.now
        if status in RUN_ENDED:
            workflow.holder = None

    def _move_run(self, number: int, status: str) -> None:
        """A run that was told to stop may have done all."""
        run = self.runs[number]
        all_done = {task.status for task in self.of_workflow(run.workflow)} == {"D"}
        if run.status + status in RUN_MOVES or (run.status in "CH" and status == "D" and all_done):
            self.end_run(number, status)

    def log_workflow_run_heartbeat(self, run: int, *, status: str, next_report_increment: float) -> Any:
        if run not in self.runs:
            raise Unknown
        self.runs[run].heard = self.now + next_report_increment
        self._move_run(run, status)
        return {"status": self.runs[run].status}

    def update_workflow_run_status(self, run: int, *, status: str) -> Any:
        if run not in self.runs:
            raise Unknown
        self._move_run(run, status)
        r = self.runs[run]
        r.succeeded = self.now if status == "I" and r.status in DISTRIBUTED else r.succeeded
        return {"status": r.status}

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
        hot = self.runs.get(run, Run(0.0)).status in {"H", "T"}
        return {"workflow_run_id": run, "num_terminated": self.stop(run, "H" if hot else "C")}

    def stop(self, run: int, resume: str) -> int:
        stopped = self.of_run(run, "QIO" if resume == "H" else "QIOR")
        for i in stopped:
            starts = i.status not in "QI"
            to = "KILL_SELF" if starts else "ERROR_FATAL"
            beside = "" if starts else " (no worker to clean up)"
            self.hear(i, error=f"Workflow resume requested. Setting to {to} from status: {i.status}{beside}")
            if not starts:
                self.move(i, "F", stays=True, source="K")
            else:
                self.move(i, "K", stays=True)
        return len(stopped)

    def set_status_for_triaging(self, run: int) -> Any:
        for number in (run, *self._earlier_runs(run)):
            self._sweep_run(number)
        return {}

    def _earlier_runs(self, run: int) -> list[int]:
        """A run that was linked after a resume looks after what earlier ones left."""
        r = self.runs.get(run, Run(0.0))
        newest = [number for number, other in self.runs.items() if other.workflow == r.workflow][-50:]
        return [number for number in newest if number < run] if r.after_resume else []

    def _sweep_run(self, run: int) -> None:
        for i in self.of_run(run, "TXK"):
            silent = i.report_by is not None and i.report_by < self.now
            if i.since + BUFFER < self.now and (silent or i.status == "X"):
                self.hear(
                    i, error=f"Nobody settled it in 279 s while it was {name(i.status)}: its distributor is gone."
                )
                self.move(i, {"T": "U", "X": "E", "K": "F"}[i.status], stays=True)
        for i in self.of_run(run, "RO"):
            self.sweep(i)

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


def _not_linked(why: str) -> Any:
    return {"workflow_run_id": None, "err_msg": why}
