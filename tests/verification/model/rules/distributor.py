"""The distributor's rules."""

from typing import Any

from hypothesis import strategies as st

from tests.verification.model.rules.draws import INCREMENT, PICK, SKEW, WORDS
from tests.verification.model.rules.walker import Walker, rule


class DistributorRules(Walker):
    """It takes instances, submits them, and polls."""

    @rule(bits=PICK, statuses=st.sampled_from(["Q", "QI", "QIORTXKDEUZWF"]), skew=SKEW)
    def instantiate(self, bits: int, statuses: str, skew: float) -> None:
        ids = [i.id for i in self.oracle.instances.values() if i.status in statuses]
        self.call("instantiate_task_instances", task_instance_ids=self.subset(bits, ids), skew=skew)

    @rule(pick=PICK, increment=INCREMENT, skew=SKEW)
    def launch_batch(self, pick: int, increment: float, skew: float) -> None:
        array, batch = self.batch(pick, "I")
        self.call("transition_to_launched", array, batch_number=batch, next_report_increment=increment, skew=skew)

    @rule(pick=PICK, increment=INCREMENT, skew=SKEW)
    def log_distributor_id(self, pick: int, increment: float, skew: float) -> None:
        number = self.pick(pick, "IIORE")
        self.call(
            "log_distributor_id", number, distributor_id=f"D{pick % 3}", next_report_increment=increment, skew=skew
        )

    @rule(pick=PICK, bits=PICK)
    def log_distributor_ids(self, pick: int, bits: int) -> None:
        ids: dict[str, Any] = {str(number): f"D{number % 4}" for number in self.subset(bits, self.oracle.instances)}
        self.call("array_log_distributor_id", pick % 3 + 1, **ids)

    @rule(pick=PICK, words=WORDS, skew=SKEW)
    def log_no_distributor_id(self, pick: int, words: str, skew: float) -> None:
        self.call("log_no_distributor_id", self.pick(pick, "IW"), no_id_err_msg=words, skew=skew)

    @rule(bits=PICK, increment=INCREMENT, skew=SKEW)
    def batch_heartbeat(self, bits: int, increment: float, skew: float) -> None:
        ids = self.subset(bits, self.oracle.instances)
        self.call("log_report_by_batch", task_instance_ids=ids, next_report_increment=increment, skew=skew)

    @rule(pick=PICK)
    def kill_batch(self, pick: int) -> None:
        array, batch = self.batch(pick, "K")
        self.call("transition_to_killed", array, batch_number=batch)

    @rule(run=PICK, bits=PICK, status=st.sampled_from("QIORTKXDEFUZWB"), skew=SKEW)
    def poll(self, run: int, bits: int, status: str, skew: float) -> None:
        known = [i.id for i in self.oracle.instances.values() if i.status == status or i.id % 5 == bits % 5]
        ids = self.subset(bits, known)
        self.call("sync_status", self.pick_run(run), task_instance_ids=ids, status=status, skew=skew)
