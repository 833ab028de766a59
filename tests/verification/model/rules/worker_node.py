"""The worker node's rules, and those of triage."""

from typing import Any

from hypothesis import strategies as st

from tests.verification.model.rules.draws import FAILURE, INCREMENT, LOGS, OUTPUT, PICK, SKEW, WORDS, WORKER
from tests.verification.model.rules.walker import Walker, rule


class WorkerNodeRules(Walker):
    """It claims an instance, runs it and reports; triage looks for why it failed."""

    @rule(pick=PICK, worker=WORKER, increment=INCREMENT, skew=SKEW, statuses=st.sampled_from(["O", "RT", "KX", "IT"]))
    def log_running(self, pick: int, worker: dict[str, Any], increment: float, skew: float, statuses: str) -> None:
        self.start(self.pick(pick, statuses), worker, increment, skew)

    def start(self, number: int, worker: dict[str, Any], increment: float, skew: float) -> None:
        """A worker node starts: where another one runs the instance, only if that one has fallen silent."""
        before = self.stands.get(("instance", number))
        reply = self.call("log_running", number, next_report_increment=increment, **worker, skew=skew)
        if before is None or before.status not in "RT" or before.report_by < self.oracle.now:
            return
        if reply["task_instance"][1] == "R":
            was, is_now = before.said[1:3], self.stands["instance", number].said[1:3]
            assert was == is_now, f"{number} was {was}'s until {before.report_by}, and now is {is_now}'s"

    @rule(pick=PICK, increment=INCREMENT, output=OUTPUT, skew=SKEW, statuses=st.sampled_from(["R", "T", "OXK", "RT"]))
    def heartbeat(self, pick: int, increment: float, output: dict[str, Any], skew: float, statuses: str) -> None:
        self.call("log_report_by", self.pick(pick, statuses), next_report_increment=increment, **output, skew=skew)

    @rule(pick=PICK, output=OUTPUT, logs=LOGS, skew=SKEW, statuses=st.sampled_from(["R", "T", "KU", "D"]))
    def log_done(self, pick: int, output: dict[str, Any], logs: dict[str, Any], skew: float, statuses: str) -> None:
        self.call("log_done", self.pick(pick, statuses), **output, **logs, skew=skew)

    @rule(
        pick=PICK,
        failure=FAILURE,
        words=WORDS,
        logs=LOGS,
        skew=SKEW,
        statuses=st.sampled_from(["R", "T", "KUEZ", "RT"]),
    )
    def log_error(self, pick: int, failure: str, words: str, logs: dict[str, Any], skew: float, statuses: str) -> None:
        told = {"error_state": failure, "error_description": words, **logs}
        self.call("log_error_worker_node", self.pick(pick, statuses), **told, skew=skew)

    @rule(pick=PICK)
    def look_up_step(self, pick: int) -> None:
        array, batch = self.batch(pick, "O")
        self.call("get_array_task_instance_id", array, batch, pick % 16)

    # Triage.

    @rule(pick=PICK, failure=FAILURE, words=WORDS, skew=SKEW, statuses=st.sampled_from(["T", "O", "XK", "REUZD"]))
    def log_known_error(self, pick: int, failure: str, words: str, skew: float, statuses: str) -> None:
        told = {"error_state": failure, "error_message": words, "nodename": None, "distributor_id": "D9"}
        self.call("log_known_error", self.pick(pick, statuses), **told, skew=skew)

    @rule(pick=PICK, failure=FAILURE, words=WORDS, skew=SKEW, statuses=st.sampled_from(["T", "O", "XK", "REUZD"]))
    def log_unknown_error(self, pick: int, failure: str, words: str, skew: float, statuses: str) -> None:
        told = {"error_state": failure, "error_message": words, "nodename": "n9"}
        self.call("log_unknown_error", self.pick(pick, statuses), **told, skew=skew)
