"""The rules of who takes a workflow over from the run that holds it."""

from hypothesis import strategies as st

from tests.verification.model.rules.client import ClientRules
from tests.verification.model.rules.draws import PICK, SKEW, USER
from tests.verification.model.rules.walker import rule


class TakeoverRules(ClientRules):
    """Another client, or a person, ends a run and begins the next one."""

    @rule(pick=PICK, cold=st.booleans(), skew=SKEW)
    def set_resume(self, pick: int, cold: bool, skew: float) -> None:  # noqa: FBT001  # hypothesis's arguments
        self.call("set_resume", self.pick_workflow(pick), reset_running_jobs=cold, skew=skew)

    @rule(pick=PICK, skew=SKEW)
    def is_resumable(self, pick: int, skew: float) -> None:
        self.call("is_resumable", self.pick_workflow(pick), skew=skew)

    @rule(pick=PICK, skew=SKEW)
    def force_cleanup(self, pick: int, skew: float) -> None:
        self.call("force_cleanup_kill_self", self.pick_workflow(pick), skew=skew)

    @rule(pick=PICK, running=st.booleans(), skew=SKEW)
    def set_resume_state(self, pick: int, running: bool, skew: float) -> None:  # noqa: FBT001  # as above
        self.call("set_resume_state", self.pick_workflow(pick), reset_if_running=running, skew=skew)

    @rule(pick=PICK, skew=SKEW)
    def increase_resources(self, pick: int, skew: float) -> None:
        self.call("increase_resources", self.pick_workflow(pick), skew=skew)

    @rule(pick=PICK, after=st.integers(0, 20), size=st.sampled_from([1, 3, 500]))
    def read_tasks(self, pick: int, after: int, size: int) -> None:
        workflow_id = self.pick_workflow(pick)
        self.call("fetch_workflow_metadata", workflow_id)
        self.call("get_tasks", workflow_id, max_task_id=after, chunk_size=size)

    @rule(pick=PICK)
    def read_newest_error(self, pick: int) -> None:
        self.call("most_recent_ti_error", pick % 50)

    @rule(pick=PICK, bits=PICK, cold=st.booleans(), user=USER, skew=SKEW)
    def take_over(self, pick: int, bits: int, cold: bool, user: str, skew: float) -> None:  # noqa: FBT001  # as above
        """A workflow passes from one run to the next, as Jobmon's client and its command line do it."""
        workflow_id = self.pick_workflow(pick)
        self.call("set_resume", workflow_id, reset_running_jobs=cold, skew=skew)
        self._leave(workflow_id, bits, skew)
        self.call("is_resumable", workflow_id, skew=skew)
        if bits & 8:
            self.call("force_cleanup_kill_self", workflow_id, skew=skew)
        if bits & 16:
            self.call("increase_resources", workflow_id, skew=skew)
        self.call("set_resume_state", workflow_id, reset_if_running=cold, skew=skew)
        self.link_run(workflow_id, user, 90_000 if bits & 32 else 90, skew)
        self.bring_up(workflow_id, skew, through="BIOR"[: 1 + bits // 128 % 4])
        self.follow_workflow(workflow_id, skew, full=bool(bits & 64))

    def _leave(self, workflow_id: int, bits: int, skew: float) -> None:
        """The run that was asked to end does, or its client is gone."""
        workflow = self.oracle.workflows.get(workflow_id)
        holder = workflow.holder if workflow else None
        if holder and bits & 1:
            self.call("log_workflow_run_heartbeat", holder, status="R", next_report_increment=90, skew=skew)
            self.call("terminate_task_instances", holder, skew=skew)
            if bits & 2:
                self.call("update_workflow_run_status", holder, status="T", skew=skew)
        elif bits & 4:
            self.system.clock.sleep(91)

    def bring_up(self, workflow_id: int, skew: float, through: str = "BIOR") -> None:
        """The run that holds a workflow moves on through some statuses, to RUNNING unless they end sooner."""
        if (workflow := self.oracle.workflows.get(workflow_id)) and (holder := workflow.holder):
            for status in through:
                if self.oracle.runs[holder].status in "LBIO":
                    self.call("update_workflow_run_status", holder, status=status, skew=skew)
