"""The contracts of the routes in functions/task_instance."""

from dataclasses import replace
from typing import Any, Final

from functions.task_instance.log_running.app import StartReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.common import NoReply
from lockstep.http.models import Reply
from lockstep.http.reply import MAX_REPLY_BYTES
from lockstep.task_instance.item import MAX_LOG_CHARACTERS
from lockstep.task_instance.views import InstanceView, TaskView, WholeReply
from tests.support.contract import Contract, Usage
from tests.support.largest import COMMAND, GROWS, GROWS_MOST, MOMENT, NAME, PATH, RUNNING, SENTENCE

OUTPUT: Final = (GROWS_MOST[0] * MAX_LOG_CHARACTERS)[1:] + GROWS_MOST[1]
WHOLE: Final = WholeReply(
    task_instance=InstanceView(
        task_instance_id=MAX_ID,
        status=TaskInstanceStatus.RUNNING,
        status_name="NO_DISTRIBUTOR_ID",
        status_date=MOMENT,
        report_by_date=MOMENT,
        workflow_run_id=MAX_ID,
        array_id=MAX_ID,
        array_batch_num=MAX_ID,
        array_step_id=MAX_ID,
        task_resources_id=MAX_ID,
        distributor_id=GROWS * 80,
        nodename=GROWS * 255,
        process_group_id=-(2**63),
        stdout=PATH,
        stderr=PATH,
        stdout_log=OUTPUT,
        stderr_log=OUTPUT,
    ),
    task=TaskView(
        task_id=MAX_ID,
        status=TaskStatus.ADJUSTING_RESOURCES,
        status_name="ADJUSTING_RESOURCES",
        num_attempts=999,
        max_attempts=2**31,
        workflow_id=MAX_ID,
        array_id=MAX_ID,
        name=NAME,
        command=COMMAND,
    ),
)


def _report(scope: Scope, written: float, largest: Reply, **body: Any) -> Contract:
    """A report about one instance, whose write comes before any read."""
    reads = "the instance and its task, if they reject the write"
    return Contract(scope=scope, usage=Usage(1, written, 0), reads=reads, largest=largest, body=body)


GET_TASK_INSTANCE = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 8),
    reads="the instance, its task, its specification and its log: four items (420 kB)",
    largest=WHOLE,
)
INSTANTIATE_TASK_INSTANCES = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(3, 14, 2.5),
    reads="10,000 instances and tasks (20 MB), 10,000 arrays (11 MB)",
    largest=MAX_REPLY_BYTES,
    body={"task_instance_ids": []},
    unknown=None,
)
LOG_DISTRIBUTOR_ID = _report(Scope.DISTRIBUTOR, 4, SENTENCE, distributor_id="9", next_report_increment=90)
LOG_DONE = replace(
    _report(Scope.WORKER, 7, RUNNING, nodename="n"), optional=frozenset({"nodename"}), nullable=frozenset({"nodename"})
)
LOG_ERROR_WORKER_NODE = _report(Scope.WORKER, 9, RUNNING, error_state="E", error_description="boom")
LOG_KNOWN_ERROR = _report(Scope.DISTRIBUTOR, 8, SENTENCE, error_state="Z", error_message="boom")
LOG_NO_DISTRIBUTOR_ID = _report(Scope.DISTRIBUTOR, 7, SENTENCE, no_id_err_msg="boom")
LOG_REPORT_BY = _report(Scope.WORKER, 1, RUNNING, next_report_increment=90)
LOG_REPORT_BY_BATCH = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 3, 0),
    reads="nothing",
    largest=NoReply(),
    body={"task_instance_ids": [], "next_report_increment": 90},
    unknown=None,
)
LOG_RUNNING = Contract(
    scope=Scope.WORKER,
    usage=Usage(2, 4, 0.5),
    reads="the instance, its task and specification (310 kB), one set of resources (60 kB)",
    largest=StartReply(
        task_instance=(MAX_ID, TaskInstanceStatus.RUNNING, MAX_ID, MAX_ID, NAME, COMMAND, MAX_ID, PATH, PATH)
    ),
    body={"process_group_id": 1, "next_report_increment": 90},
)
LOG_UNKNOWN_ERROR = _report(Scope.DISTRIBUTOR, 8, SENTENCE, error_state="U", error_message="boom")
TASK_INSTANCE_ERROR_LOG = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 0, 1),
    reads="9 pages of entries (9 MB), 8 MB of long texts",
    largest=MAX_REPLY_BYTES,
)
