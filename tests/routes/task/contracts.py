"""The contracts of the routes in functions/task."""

from typing import Final

from functions.task.bind_resources.app import ResourcesReply
from functions.task.get_task_resources.app import TaskResourcesReply
from functions.task.most_recent_ti_error.app import NewestErrorReply
from functions.task.set_resume_state.app import NotStartedOver, StartOverReply
from functions.task.show_task.app import AttemptView, TaskReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.common import NoReply
from lockstep.http.fields import MAX_RESOURCES_BYTES
from lockstep.http.reply import MAX_REPLY_BYTES
from lockstep.task.attempts import MOST_ATTEMPTS
from lockstep.task.bound_item import TaskLookup
from lockstep.task_instance.item import MAX_ERROR_BYTES, MAX_INLINE_BYTES
from tests.support.contract import Contract, Usage
from tests.support.largest import COMMAND, GROWS, MOMENT, NAME, PRINTABLE

BIND_RESOURCES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 2, 0),
    reads="nothing; all loaded clusters (400 kB), where none is cached",
    largest=ResourcesReply(MAX_ID),
    body={"queue_id": 1, "requested_resources": {}},
    unknown=None,
)
BIND_TASK_ARGS = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 1, 0),
    reads="of more than 1,000 values to put, those that are stored (5 MB)",
    largest=NoReply(),
    body={"task_args": [[1, 2, "x"]]},
    unknown=None,
)
BIND_TASK_ATTRIBUTES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    reads="10,000 tasks (10 MB); of more than 1,000 values to put, those that are stored (5 MB)",
    largest=NoReply(),
    body={"task_attributes": {"1": {}}},
    unknown=None,
)
BIND_TASKS_NO_ARGS = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(8, 13, 2.5),
    reads="10,000 lookups and tasks (14 MB), the arrays (11 MB) and 1,000 sets of resources (60 MB) that they name",
    largest=MAX_REPLY_BYTES,
    body={"workflow_id": 1, "tasks": {}},
    unknown=None,
    makes=(
        TaskLookup.key(6000, 5101, "31415926535897932384626433832795028841971"),
        TaskLookup.key(6000, 5102, "27182818284590452353602874713526624977572"),
    ),
)
GET_TASK_RESOURCES = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 0, 0.5),
    reads="one set of resources (60 kB); all loaded clusters (400 kB), where none is cached",
    largest=TaskResourcesReply(
        requested_resources={"a": '"' * ((MAX_RESOURCES_BYTES - 10) // 2)}, queue_name=PRINTABLE
    ),
)
MOST_RECENT_TI_ERROR = Contract(
    scope=Scope.READER,
    usage=Usage(2, 0, 2),
    reads=(
        "the task; the entries of its two newest attempts (9 MB each), one of each earlier one up to the one with "
        "an error (of 997, 8 side by side), its entries (9 MB), one long text"
    ),
    largest=NewestErrorReply(error_description=GROWS * MAX_ERROR_BYTES, task_instance_id=MAX_ID),
    unknown=200,
)
SET_RESUME_STATE = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(4, 3, 4),
    reads="what ended runs left; the workflow's tasks, as many as its time allows",
    largest=StartOverReply(NotStartedOver(err_msg="x" * 200)),
    body={"reset_if_running": True},
    unknown=200,
)
ATTEMPT: Final = AttemptView(
    task_instance_id=MAX_ID,
    status=TaskInstanceStatus.NO_DISTRIBUTOR_ID,
    status_name="NO_DISTRIBUTOR_ID",
    status_date=MOMENT,
    reason="x" * 100,
    queued_date=MOMENT,
    started_date=MOMENT,
    ended=False,
    report_by_date=MOMENT,
    overdue=False,
    takeovers=2**31,
    refusals=2**31,
    workflow_run_id=MAX_ID,
    distributor_id=GROWS * 150,
    nodename=GROWS * MAX_INLINE_BYTES["nodename"],
    array_batch_num=MAX_ID,
    array_step_id=MAX_ID,
)
TASK: Final = TaskReply(
    task_id=MAX_ID,
    name=NAME,
    command=COMMAND,
    status=TaskStatus.ADJUSTING_RESOURCES,
    status_name="ADJUSTING_RESOURCES",
    status_date=MOMENT,
    num_attempts=999,
    max_attempts=2**31,
    workflow_id=MAX_ID,
    array_id=MAX_ID,
    node_id="9" * 19,
    task_resources_id=MAX_ID,
    attempts=[ATTEMPT] * MOST_ATTEMPTS,
    left_out=974,
)
SHOW_TASK = Contract(
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
    reads="the task, its specification (310 kB), 25 attempts",
    largest=TASK,
)
