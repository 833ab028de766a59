"""The distributor: it takes instances, submits them, and tells what the cluster said."""

from typing import Any

from tests.verification.model.oracle.rulings import Rulings
from tests.verification.model.oracle.state import ENDED, RUN_ENDED, Instance


class Distributor(Rulings):
    """The routes of the distributor, but its polls."""

    def instantiate_task_instances(self, *, task_instance_ids: list[int]) -> Any:
        batches: dict[tuple[int, int, int], list[int]] = {}
        for i in self.these(dict.fromkeys(task_instance_ids)):
            if i.status == "I" and i.task.status == "I" and i.latest:
                i.taken = self.now if self.of_an_earlier_distributor(i) else i.taken
            elif i.status != "Q" or self.run_ended(i) or not self.move(i, "I"):
                continue
            batches.setdefault((*i.place[:2], i.resources), []).append(i.id)
        return {
            "task_instance_batches": [
                [array, self.named[array][0], batch, resources, sorted(ids)]
                for (array, batch, resources), ids in sorted(batches.items())
            ]
        }

    def run_ended(self, i: Instance) -> bool:
        """Whether nothing of its run is taken any more."""
        return i.run in self.runs and self.runs[i.run].status in RUN_ENDED

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
            said = ids[str(i.id)]
            if i.place[0] == array and not (i.status in ENDED and i.is_of_another_job(said)):
                self.hear(i, distributor_id=said)
                i.launched = said
        return {"success": True}

    def log_distributor_id(self, number: int, *, next_report_increment: float, distributor_id: str) -> Any:
        i = self.instance(number)
        if i.status in ENDED and i.is_of_another_job(distributor_id):
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
