"""Workflows: their client's poll, their limits, and how a client takes one over from the run that holds it."""

import math
from datetime import UTC, datetime
from typing import Any

from tests.verification.model.oracle.state import RUN_ENDED, Instance, Task, Unknown, grouped, naive
from tests.verification.model.oracle.workflow_run import WorkflowRuns

MARGIN = 20.0
"""Seconds by which a poll is told of changes again."""
NO_LIMIT = 2**31 - 1
CLEANED_UP = (
    "Force cleanup: User requested resume while KILL_SELF pending. "
    "Jobs may have been externally terminated (scancel, node failure)."
)


class Workflows(WorkflowRuns):
    """The routes about a workflow."""

    # The client's poll.

    def task_status_updates(self, workflow_id: int, *, last_sync: str = "") -> Any:
        """Without last_sync all tasks; else those that came since to a status that the client acts on."""
        self.workflow(workflow_id)
        tasks = self.of_workflow(workflow_id)
        told = [(task.status, task.id) for task in tasks]
        if last_sync:
            since = _milliseconds(datetime.fromisoformat(last_sync).replace(tzinfo=UTC).timestamp() - MARGIN)
            changes = [(*task.changed, task.id) for task in tasks if task.changed]
            told = [(status, number) for at, status, number in changes if _milliseconds(at) >= since]
        return {"tasks_by_status": grouped(told), "time": naive(self.now)}

    def get_workflow_limit(self, workflow_id: int) -> Any:
        return {"max_concurrently_running": self._limit(workflow_id)}

    def _limit(self, workflow_id: int) -> int:
        limit = self.workflow(workflow_id).limit
        return NO_LIMIT if limit is None else limit

    # Who resumes a workflow by its id reads it.

    def get_matching_workflows(self, workflow_args_hash: int) -> Any:
        keys = [workflow.key for workflow in self.workflows.values() if workflow.key]
        found = [[key[3], key[1], str(key[2])] for key in keys if key[0] == str(workflow_args_hash)]
        return {"matching_workflows": sorted(found)}

    def fetch_workflow_metadata(self, workflow_id: int) -> Any:
        workflow = self.workflows.get(workflow_id)
        if workflow is None or workflow.key is None:
            return {"workflow": []}
        return {"workflow": [workflow_id, workflow.key[2], self._limit(workflow_id)]}

    def get_tasks(self, workflow_id: int, *, max_task_id: int, chunk_size: int) -> Any:
        """A page; one that is not full is the last one. A task whose resources nobody has bound is in none."""
        left = [task for task in self.of_workflow(workflow_id) if task.status != "D" and task.id > max_task_id]
        page = [task for task in left if task.bound[1][3] in self.resources][:chunk_size]
        return {"tasks": {str(task.id): self._row(task) for task in page}}

    def _row(self, task: Task) -> list[Any]:
        _, _, array, resources, _, _, most_attempts, _, scales, fallback, *_ = task.bound[1]
        texts = repr(scales), repr(fallback), self.resources[resources]
        return [array, task.status, most_attempts, *texts, "dummy", "null.q", self.named[array][1]]

    # Taking it over.

    def set_resume(self, workflow_id: int, *, reset_running_jobs: bool) -> Any:
        workflow, resume = self.workflows.get(workflow_id), "C" if reset_running_jobs else "H"
        if workflow and workflow.holder:
            if self.runs[workflow.holder].status in "BIOR":
                self.bring_run(workflow.holder, resume)
            self.free(workflow)
        if workflow and (workflow.resume != "C" or workflow.linked_since or resume == "C"):
            workflow.resume, workflow.linked_since = resume, None
        return {}

    def is_resumable(self, workflow_id: int) -> Any:
        resumable = self._is_linkable(workflow_id)
        if resumable:
            self._stop_leftovers(workflow_id)
        pending = [i for i in self._in_kill_self(workflow_id) if self._may_report(i)]
        runs = any(i.claim for i in pending) or self._may_run(workflow_id)
        return {"workflow_is_resumable": resumable and not runs, "pending_kill_self": len(pending)}

    def _may_report(self, i: Instance) -> bool:
        return i.report_by is not None and i.report_by >= self.now

    def _may_run(self, workflow_id: int) -> bool:
        """Whether something goes on of what should have stopped of ended runs."""
        resume = self.workflow(workflow_id).resume
        runs = [number for number in self._newest_runs(workflow_id) if self.runs[number].status in RUN_ENDED]
        told = [i for number in runs for i in self.of_run(number, "K")]
        others = [i for number in runs for i in self.of_run(number, "QIOTX" if resume == "H" else "QIORTX")]
        return bool(resume) and (bool(others) or any(i.claim and self._may_report(i) for i in told))

    def _is_linkable(self, workflow_id: int) -> bool:
        workflow = self.workflow(workflow_id)
        return self.free(workflow) is None and workflow.created is not None

    def _in_kill_self(self, workflow_id: int) -> list[Instance]:
        return [i for number in self._newest_runs(workflow_id) for i in self.of_run(number, "K")]

    def _newest_runs(self, workflow_id: int) -> list[int]:
        return [number for number, run in self.runs.items() if run.workflow == workflow_id][-50:]

    def _stop_leftovers(self, workflow_id: int) -> None:
        """What ended runs left stops before another one is linked, if a resume was requested: the silent first."""
        if resume := self.workflow(workflow_id).resume:
            for number in self._newest_runs(workflow_id):
                if self.runs[number].status in RUN_ENDED:
                    self._settle(number)
                    self.stop(number, resume)

    def _settle(self, number: int) -> None:
        for i in self.of_run(number, "TX"):
            if i.status == "X" or (i.report_by is not None and i.report_by < self.now):
                to, name = {"T": ("U", "UNKNOWN_ERROR"), "X": ("E", "ERROR")}[i.status]
                silent = "its worker node is silent"
                self.hear(i, error=f"Workflow resume requested. Setting to {name} from status: {i.status} ({silent})")
                self.move(i, to, stays=True)

    def force_cleanup_kill_self(self, workflow_id: int) -> Any:
        workflow = self.workflows.get(workflow_id)
        ends = workflow.holder if workflow and workflow.holder and self.runs[workflow.holder].status in "CH" else None
        if ends:
            self.end_run(ends, "T")
        left = self._in_kill_self(workflow_id)
        for i in left:
            self.hear(i, error=CLEANED_UP)
            self.move(i, "F", stays=True)
        return {"num_cleaned_up": len(left), "num_workflow_runs_finalized": int(ends is not None)}

    def set_resume_state(self, workflow_id: int, *, reset_if_running: bool) -> Any:
        try:
            linkable = self._is_linkable(workflow_id)
        except Unknown:
            return {}
        if not linkable:
            why = f"Workflow {workflow_id} is not resumable. Please set the appropriate resume state."
            return {"err_msg": why}
        self._stop_leftovers(workflow_id)
        if self._may_run(workflow_id):
            why = f"Workflow {workflow_id} is not resumable: a worker node may still run what was told to stop."
            return {"err_msg": why}
        for task in self.of_workflow(workflow_id):
            if task.status != "D" and (task.status != "R" or reset_if_running):
                self.start_over(task)
        return {}

    def increase_resources(self, workflow_id: int) -> Any:
        """Each failed task whose newest attempt had too little gets more; those that are alike share a new set."""
        grown: dict[tuple[int, str], int] = {}
        tasks = [task for task in self.of_workflow(workflow_id) if self._had_too_little(task)]
        for task in tasks:
            workflow, row = task.bound
            wanted = _scaled(self.resources[row[3]], row[8], task.attempts)
            alike = row[3], repr(wanted)
            if alike not in grown:
                grown[alike] = self.store_resources(wanted)
            task.bound = workflow, [*row[:3], grown[alike], *row[4:]]
            task.status, task.changed = "E", None
        return {"updated_task_count": len(tasks), "updated_task_ids": [task.id for task in tasks]}

    def _had_too_little(self, task: Task) -> bool:
        newest = self.instances.get(task.id * 1000 + task.made)
        return task.status == "F" and newest is not None and newest.status == "Z" and task.bound[1][3] in self.resources


def _scaled(requested: dict[str, Any], scales: dict[str, Any], attempts: int) -> dict[str, Any]:
    """A number lets a resource grow by that share, rounded up; a list names the amount after each attempt."""
    grown = dict(requested)
    for name, scale in scales.items():
        if isinstance(scale, list):
            grown[name] = [*scale[: max(attempts, 1)]][-1]
        elif name in grown:
            grown[name] = math.ceil(grown[name] * (1 + scale))
    return grown


def _milliseconds(at: float) -> int:
    return max(0, int(at * 1000))
