"""How far a call about all tasks of a workflow came that could not do all: the same call again goes on there."""

from typing import Final

from lockstep.clock import now
from lockstep.dynamodb.client import reach
from lockstep.workflow.item import Workflow

CURSOR_SECONDS: Final = 300.0
"""How long a call is remembered: Jobmon's client repeats it within this time. Later, tasks may have moved again."""


def cursor_of(workflow: Workflow, kind: str) -> int:
    """The last task id that an earlier call of a kind came to; 0 if there is none to go on from."""
    stored_kind, after, at = (workflow.cursor or "#0#0").split("#")
    return int(after) if stored_kind == kind and now() - float(at) < CURSOR_SECONDS else 0


def store_cursor(workflow_id: int, kind: str, after: int) -> None:
    """Remember how far a call of a kind came."""
    workflow = Workflow(*Workflow.key(workflow_id))
    reach(lambda: workflow.update([Workflow.cursor.set(f"{kind}#{after}#{now()}")]))


def clear_cursor(workflow_id: int) -> None:
    """Forget it: all is done."""
    workflow = Workflow(*Workflow.key(workflow_id))
    reach(lambda: workflow.update([Workflow.cursor.remove()]))
