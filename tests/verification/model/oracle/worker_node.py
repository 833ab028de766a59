"""The worker node: it claims an instance, runs it, and reports; triage looks for why it failed."""

from typing import Any

from tests.verification.model.oracle.rulings import Rulings
from tests.verification.model.oracle.state import ENDED, Instance, Unknown


class WorkerNode(Rulings):
    """The routes of the worker node and of triage."""

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

    def printed_to(self, i: Instance) -> tuple[Any, Any]:
        """The directories of the resources that it was queued with; else of those that its task was bound to."""
        found = self.resources.get(i.resources, self.resources.get(i.task.bound[1][3], {}))
        return found.get("stdout"), found.get("stderr")

    def log_report_by(self, number: int, *, next_report_increment: float, **said: Any) -> Any:
        i = self.instance(number)
        if i.is_of_another_worker(said.get("distributor_id")):
            return {"status": stopped(i)}
        self.hear(i, next_report_increment, **said)
        if i.status == "T":
            self.move(i, "R")
        i.reported = self.now, i.status == "R"
        return {"status": i.status}

    def log_done(self, number: int, **said: Any) -> Any:
        return self.end(self.instance(number), "D", None, **said)

    def log_error_worker_node(self, number: int, *, error_state: str, error_description: str, **said: Any) -> Any:
        return self.end(self.instance(number), error_state, error_description, **said)

    def end(self, i: Instance, status: str, error: str | None, **said: Any) -> Any:
        """The command has ended, one way or another."""
        if i.is_of_another_worker(said.get("distributor_id"), said.get("nodename")):
            return {"status": stopped(i)}
        self.hear(i, error=error, **said)
        self.move(i, status, through=True)
        return {"status": i.status}

    # Triage.

    def log_known_error(self, number: int, *, error_state: str, error_message: str, **said: Any) -> Any:
        i = self.instance(number)
        if i.is_of_another_job(said.get("distributor_id")):
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
        if overdue or i.is_of_another_job(said.get("distributor_id")):
            return self.log_known_error(number, error_state=error_state, error_message=error_message, **said)
        self.hear(i, **said)
        why = "it is not overdue: it reported meanwhile, or was never due"
        return {"message": f"The task instance is {i.status} and {why}"}


def stopped(i: Instance) -> str:
    """What a worker node is told that another one has taken over from."""
    return i.status if i.status in ENDED else "K"
