"""What may be said about one workflow at the same time: by its client, its rivals, and who takes it over."""

import json
from typing import Any, Final, NamedTuple

from local.seed import Seed, load
from lockstep.fsm.statuses import WorkflowRunStatus, WorkflowStatus
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.workflow_run.item import WorkflowRun
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.operations import Table
from tests.support.memory.virtual_time import START
from tests.verification.explore.courses import Request

Run = WorkflowRunStatus

WORKFLOW: Final = 1
RUN: Final = 5
ARRAY: Final = 7
QUEUED: Final = 42
"""A task whose instance waits for its distributor."""
READY: Final = 43
"""A task that may be queued."""
WAITING: Final = QUEUED * 1000 + 1
AHEAD_SECONDS: Final = 1_000.0
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


RESUMES: Final = {"set_resume cold", "set_resume hot"}
ASKING: Final = {"link", "link of a rival", "is_resumable", "set_resume_state"}
"""Who asks whether a run may be linked ends one whose client is late."""


class RunStart(NamedTuple):
    """How a workflow and its run stand."""

    run: WorkflowRunStatus
    late: bool = False
    """Its client has not reported in time."""

    @property
    def name(self) -> str:
        """In letters."""
        return f"run {self.run}{' late' * self.late}"

    @property
    def ended_by(self) -> set[str]:
        """The requests that end it for a resume."""
        ends = self.run in {Run.COLD_RESUME, Run.HOT_RESUME}
        return (RESUMES | (ASKING if ends else set())) if self.late else set()

    def table(self) -> Table:
        """The table in which they stand so."""
        with calls_in_memory() as memory, running_on(VirtualTime(START)):
            load(Seed.model_validate(self._seed()))
        reports_by = START + (-1.0 if self.late else AHEAD_SECONDS)
        run = {
            **memory.items[WorkflowRun.key(RUN)],
            "status": {"S": self.run},
            "heartbeat_date": {"N": str(reports_by)},
            "workflow_id": {"N": str(WORKFLOW)},
        }
        return Table({**memory.items, WorkflowRun.key(RUN): run})

    def _seed(self) -> dict[str, Any]:
        held = {} if self.run in RUN_ENDED else {"workflow_run_id": RUN}
        task = {
            "max_attempts": 3,
            "workflow_id": WORKFLOW,
            "array_id": ARRAY,
            "name": "t",
            "command": "true",
            "task_resources_id": 1,
            "requested_resources": {},
        }
        return {
            "workflows": [{"workflow_id": WORKFLOW, "status": FOLLOWS[self.run], **held}],
            "arrays": [
                {
                    "array_id": ARRAY,
                    "name": "a",
                    "workflow_id": WORKFLOW,
                    "task_template_version_id": 1,
                    "max_concurrently_running": 10,
                }
            ],
            "tasks": [
                {"task_id": QUEUED, "status": "Q", "num_attempts": 1, **task},
                {"task_id": READY, "status": "G", "num_attempts": 0, **task},
            ],
            "task_instances": [
                {
                    "task_instance_id": WAITING,
                    "status": "Q",
                    "workflow_run_id": RUN,
                    "array_id": ARRAY,
                    "array_batch_num": 1,
                    "array_step_id": 0,
                    "task_resources_id": 1,
                }
            ],
        }


RUN_STARTS: Final = (*map(RunStart, FOLLOWS), *(RunStart(run, late=True) for run in FOLLOWS if run not in RUN_ENDED))


def _request(method: str, path: str, **body: Any) -> Request:
    return Request(method, f"/api/v3/{path}", json.dumps(body))


def _link(user: str) -> Request:
    return _request("POST", "workflow_run", workflow_id=WORKFLOW, user=user, next_report_increment=90)


def _moves(letters: str) -> dict[str, Request]:
    return {
        f"update_status {letter}": _request("PUT", f"workflow_run/{RUN}/update_status", status=letter)
        for letter in letters
    }


ABOUT_WORKFLOW: Final = {
    "link": _link("ann"),
    "link of a rival": _link("bob"),
    **_moves("BAIORDEST"),
    "log_heartbeat": _request("POST", f"workflow_run/{RUN}/log_heartbeat", status="R", next_report_increment=90),
    "set_resume cold": _request("POST", f"workflow/{WORKFLOW}/set_resume", reset_running_jobs=True),
    "set_resume hot": _request("POST", f"workflow/{WORKFLOW}/set_resume", reset_running_jobs=False),
    "is_resumable": Request("GET", f"/api/v3/workflow/{WORKFLOW}/is_resumable", ""),
    "force_cleanup_kill_self": _request("POST", f"workflow/{WORKFLOW}/force_cleanup_kill_self"),
    "set_resume_state": _request("POST", f"task/{WORKFLOW}/set_resume_state", reset_if_running=True),
    "terminate_task_instances": _request("PUT", f"workflow_run/{RUN}/terminate_task_instances"),
    "queue_task_batch": _request(
        "POST",
        f"array/{ARRAY}/queue_task_batch",
        task_ids=[READY],
        task_resources_id=1,
        workflow_run_id=RUN,
    ),
    "log_no_distributor_id": _request("POST", f"task_instance/{WAITING}/log_no_distributor_id", no_id_err_msg="none"),
    "instantiate_task_instances": _request(
        "POST", "task_instance/instantiate_task_instances", task_instance_ids=[WAITING]
    ),
}
"""The requests that move a workflow, its run or what the run has started."""
