"""The statuses as they are stored and sent, under the names Jobmon gave them."""

from enum import StrEnum


class TaskInstanceStatus(StrEnum):
    """One attempt's status. The value is the letter on the wire and in the table."""

    QUEUED = "Q"
    INSTANTIATED = "I"
    LAUNCHED = "O"
    RUNNING = "R"
    TRIAGING = "T"
    NO_HEARTBEAT = "X"
    KILL_SELF = "K"
    DONE = "D"
    ERROR = "E"
    UNKNOWN_ERROR = "U"
    RESOURCE_ERROR = "Z"
    NO_DISTRIBUTOR_ID = "W"
    ERROR_FATAL = "F"
    SUBMITTED_TO_BATCH_DISTRIBUTOR = "B"


class TaskStatus(StrEnum):
    """A unit of work's status. The value is the letter on the wire and in the table."""

    REGISTERING = "G"
    QUEUED = "Q"
    INSTANTIATING = "I"
    LAUNCHED = "O"
    RUNNING = "R"
    DONE = "D"
    ERROR_RECOVERABLE = "E"
    ADJUSTING_RESOURCES = "A"
    ERROR_FATAL = "F"


ERROR_STATES = frozenset(
    {
        TaskInstanceStatus.NO_DISTRIBUTOR_ID,
        TaskInstanceStatus.ERROR,
        TaskInstanceStatus.UNKNOWN_ERROR,
        TaskInstanceStatus.RESOURCE_ERROR,
    }
)
"""They end an attempt and let the task try again. ERROR_FATAL is not one of them."""

TERMINAL_TASK_STATUSES = frozenset({TaskStatus.DONE, TaskStatus.ERROR_FATAL})

TOLD_TO_CLIENT = TERMINAL_TASK_STATUSES | {TaskStatus.REGISTERING, TaskStatus.ADJUSTING_RESOURCES}
"""A workflow's client acts on a task that comes to one of these: it releases others, queues it again, or counts it."""

NEEDS_ATTENTION = frozenset(
    {TaskInstanceStatus.TRIAGING, TaskInstanceStatus.NO_HEARTBEAT, TaskInstanceStatus.KILL_SELF}
)
"""Somebody must do something about an instance in one of these. They are few; the run index lists them."""


class WorkflowRunStatus(StrEnum):
    """A workflow run's status. The value is the letter on the wire and in the table."""

    REGISTERED = "G"
    LINKING = "L"
    BOUND = "B"
    INSTANTIATED = "I"
    LAUNCHED = "O"
    RUNNING = "R"
    DONE = "D"
    ERROR = "E"
    STOPPED = "S"
    ABORTED = "A"
    TERMINATED = "T"
    COLD_RESUME = "C"
    HOT_RESUME = "H"


class WorkflowStatus(StrEnum):
    """A workflow's status. The value is the letter on the wire and in the table."""

    REGISTERING = "G"
    QUEUED = "Q"
    INSTANTIATING = "I"
    LAUNCHED = "O"
    RUNNING = "R"
    DONE = "D"
    FAILED = "F"
    HALTED = "H"
    ABORTED = "A"
