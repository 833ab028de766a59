"""Why a task instance or a task moved, by the statuses between which it did: for lists and events that people read."""

from typing import Final

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import TASK_MOVES, VALID, WITHOUT_TASK, has_ended

TI = TaskInstanceStatus
T = TaskStatus

_MOVES: Final = {(transition.source, transition.target): transition.reason for transition in VALID}
_TASK_MOVES: Final = {(transition.source, transition.target): transition.reason for transition in TASK_MOVES}
_ENDS_OF_FAILURE: Final = frozenset({T.REGISTERING, T.ADJUSTING_RESOURCES, T.ERROR_FATAL})


def reason_of(source: TaskInstanceStatus | None, target: TaskInstanceStatus) -> str | None:
    """Why an instance moved, by the statuses between which it did. None: it never makes that move.

    source: None if it is new.

    >>> reason_of(TaskInstanceStatus.RUNNING, TaskInstanceStatus.ERROR)
    'the command failed'
    """
    if source is None:
        return "its task gets an attempt" if target is TI.QUEUED else None
    known = _MOVES.get((source, target))
    return WITHOUT_TASK if known is None and target is TI.ERROR_FATAL and not has_ended(source) else known


def task_reason_of(source: TaskStatus | None, target: TaskStatus, *, fresh: bool) -> str | None:
    """Why a task moved, by the statuses between which it did. None: it never makes that move.

    source: None if it is new. fresh: whether no attempt counts against it, as where it is bound or starts over.
    A failure moves it through ERROR_RECOVERABLE in one write, so the reason is that of the move from there.

    >>> task_reason_of(TaskStatus.RUNNING, TaskStatus.REGISTERING, fresh=False)
    'it has attempts left and waits to be queued'
    >>> task_reason_of(TaskStatus.RUNNING, TaskStatus.REGISTERING, fresh=True)
    'it starts over'
    """
    if source is None:
        return "it is bound" if target is T.REGISTERING else None
    if fresh and target is T.REGISTERING:
        return None if source is T.DONE else "it starts over"
    if (source, target) == (T.ERROR_FATAL, T.ERROR_RECOVERABLE):
        return "it gets more resources, and may start over"
    if target in _ENDS_OF_FAILURE and (source, T.ERROR_RECOVERABLE) in _TASK_MOVES:
        return _TASK_MOVES[T.ERROR_RECOVERABLE, target]
    return _TASK_MOVES.get((source, target))
