"""The largest values that fields allow, of the characters that grow most in a reply."""

from itertools import product
from typing import Final

from lockstep import clock
from lockstep.dynamodb.item import MAX_ID, MAX_TITLE_BYTES
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.http.common import LimitReply, MessageReply
from lockstep.http.fields import MAX_PATH_BYTES
from lockstep.task_instance.report import StatusReply
from lockstep.task_template.arguments import MAX_ARGUMENTS, ids_by_name
from lockstep.task_template.bind import MAX_VERSION_BYTES
from lockstep.task_template.views import VersionRow
from lockstep.workflow_run.views import RunStatusReply, RunView
from ops.clusters.file import MOST_BYTES_OF_A_NAME, MOST_BYTES_OF_PARAMETERS

GROWS: Final = "\x00"
"""The character that takes one byte of a field's limit and seven of a reply."""
GROWS_MOST: Final = "\U0001f600\ud800"
"""Where a limit counts characters, one of 14 bytes; the other makes it be written so."""
COMMAND: Final = GROWS * 300_000
NAME: Final = GROWS * 1_000
PATH: Final = GROWS * MAX_PATH_BYTES
SHORT_THAT_GROWS: Final = [chr(number) for number in range(32) if chr(number) not in "\b\t\n\f\r\x10"]
"""As GROWS."""
PRINTABLE: Final = '"' * MOST_BYTES_OF_A_NAME
"""Of printable characters, the one that grows most: four bytes of a reply for one of the limit."""
LARGEST_PARAMETERS: Final = '"' * MOST_BYTES_OF_PARAMETERS
MOMENT: Final = clock.iso(0.000001)
RUNNING: Final = StatusReply(status=TaskInstanceStatus.RUNNING)
BOUND: Final = RunStatusReply(status=WorkflowRunStatus.BOUND)
LIMIT: Final = LimitReply(max_concurrently_running=2**31 - 1)
SENTENCE: Final = MessageReply(message="x" * 200)


def most_arguments() -> list[list[str]]:
    """As many arguments of each kind as there may be, of names that grow, that fill a version beside its command."""
    room = MAX_VERSION_BYTES - len(COMMAND) - 3 * MAX_ARGUMENTS
    lengths = [(room + position) // (3 * MAX_ARGUMENTS) for position in range(3 * MAX_ARGUMENTS)]
    first_letters = product(SHORT_THAT_GROWS, repeat=3)
    names = ["".join(letters) + GROWS * (length - 3) for letters, length in zip(first_letters, lengths, strict=False)]
    return [names[kind * MAX_ARGUMENTS : (kind + 1) * MAX_ARGUMENTS] for kind in range(3)]


def version_row() -> VersionRow:
    node_args, task_args, op_args = most_arguments()
    ids = dict.fromkeys(ids_by_name([*node_args, *task_args, *op_args]), 2**48)
    return VersionRow(MAX_ID, COMMAND, node_args, task_args, op_args, ids, MAX_ID)


LARGEST_VERSION: Final = version_row()
TITLE: Final = GROWS * MAX_TITLE_BYTES
RUN: Final = RunView(
    workflow_run_id=MAX_ID,
    workflow_id=MAX_ID,
    status=WorkflowRunStatus.INSTANTIATED,
    status_name="INSTANTIATED",
    status_date=MOMENT,
    user=GROWS * 255,
    jobmon_version=GROWS * 255,
    report_by_date=MOMENT,
    overdue=False,
)
