"""The expected end of each task of program.py: before the failure is mended, and after the resume."""

from typing import Final

from local.verdict import NOT_BEGUN, Ending
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus

DONE, ERROR = TaskInstanceStatus.DONE, TaskInstanceStatus.ERROR

AT_ONCE: Final = Ending(TaskStatus.DONE, 1, (DONE,), (0,))
AT_THE_SECOND_ATTEMPT: Final = Ending(TaskStatus.DONE, 2, (ERROR, DONE), (1, 0))
FAILED: Final = Ending(TaskStatus.ERROR_FATAL, 2, (ERROR, ERROR), (1, 1))
ONCE_MENDED: Final = Ending(TaskStatus.DONE, 1, (ERROR, ERROR, DONE), (1, 1, 0))
"""A resume begins to count a task's attempts anew, and keeps the earlier ones."""

NAMES: Final = {
    "prepare": [f"prepare_{place}_0" for place in range(20)],
    "model": [f"model_{place}_{part}" for place in range(20) for part in range(4)],
    "check": [f"check_{place}_{part}" for place in range(20) for part in range(4)],
    "report": [f"report_{place}_0" for place in range(20)],
}
"""The tasks of each array."""
_BEFORE: Final = {"check_8_0": FAILED, "report_8_0": NOT_BEGUN}
_AFTER: Final = {"check_8_0": ONCE_MENDED}


def must_be(name: str, *, resumed: bool) -> Ending:
    """Return how a task must have ended once the client ends: the first one, or the one that resumes.

    >>> must_be("report_8_0", resumed=False).task.name, must_be("report_8_0", resumed=True).task.name
    ('REGISTERING', 'DONE')
    """
    step, _, part = name.split("_")
    usual = AT_THE_SECOND_ATTEMPT if (step, part) == ("model", "0") else AT_ONCE
    return (_AFTER if resumed else _BEFORE).get(name, usual)
