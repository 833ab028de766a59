"""THE table: the moves of a task instance and of its task, each with its reason, and the ruling on a move.

A ruling, a move or a refusal, is made on a pair state: an instance and its task as they stand at one moment. No other
module repeats a rule of this table. reports.py says what each report asks of it. `make docs` generates
docs/state-machine.md from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from lockstep.fsm.statuses import (
    ERROR_STATES,
    TERMINAL_TASK_STATUSES,
    TaskInstanceStatus,
    TaskStatus,
)

TI = TaskInstanceStatus
T = TaskStatus


class Sender(StrEnum):
    """The sender of a report, identified by its names and the names of the claim on the instance."""

    CLAIMANT = "claimant"
    """Nothing contradicts that it is the worker node that claimed the instance, or the job that it runs as.

    So it is where nobody has claimed the instance yet, and where one of the two names nothing.
    """
    RESTART = "restart"
    """The same job of the cluster, on another node or in another process."""
    OTHER = "other"
    """Another worker node, or another job."""


class PairState(NamedTuple):
    """A task instance and its task at one moment: everything that a ruling on a report depends on."""

    task_instance: TaskInstanceStatus
    task: TaskStatus
    attempts_left: bool = True
    """num_attempts < max_attempts."""
    overdue: bool = False
    """report_by is set and has passed."""
    not_yet_due: bool = False
    """report_by lies ahead."""
    sender: Sender = Sender.CLAIMANT
    """The sender of the report."""
    just_claimed: bool = False
    """The last claim is so recent that an equal claim, or one of the same job, comes from a rival."""
    superseded: bool = False
    """The task has a later attempt."""


class Transition(NamedTuple):
    """A transition of a task instance, and the sentence that says when it happens."""

    source: TaskInstanceStatus
    target: TaskInstanceStatus
    reason: str


class TaskTransition(NamedTuple):
    """A transition of a task, and the sentence that says when it happens."""

    source: TaskStatus
    target: TaskStatus
    reason: str


VALID: Final = (
    Transition(TI.QUEUED, TI.INSTANTIATED, "the distributor takes it"),
    Transition(TI.QUEUED, TI.KILL_SELF, "a resume arrives before anyone took it"),
    Transition(TI.INSTANTIATED, TI.LAUNCHED, "the cluster accepted the submission"),
    Transition(TI.INSTANTIATED, TI.NO_DISTRIBUTOR_ID, "the submission gave no distributor id"),
    Transition(TI.INSTANTIATED, TI.KILL_SELF, "a resume arrives in mid submission"),
    Transition(TI.INSTANTIATED, TI.RUNNING, "the worker node reported before the distributor did"),
    Transition(TI.LAUNCHED, TI.RUNNING, "the worker node started"),
    Transition(TI.LAUNCHED, TI.UNKNOWN_ERROR, "it left the cluster and never reported"),
    Transition(TI.LAUNCHED, TI.NO_HEARTBEAT, "no heartbeat before its deadline"),
    Transition(TI.LAUNCHED, TI.RESOURCE_ERROR, "the cluster killed it for resources before it reported"),
    Transition(TI.LAUNCHED, TI.KILL_SELF, "a resume arrives while it waits on the cluster"),
    Transition(TI.LAUNCHED, TI.ERROR_FATAL, "it can never run here (environment mismatch)"),
    Transition(TI.RUNNING, TI.TRIAGING, "its heartbeat is overdue"),
    Transition(TI.RUNNING, TI.ERROR, "the command failed"),
    Transition(TI.RUNNING, TI.UNKNOWN_ERROR, "it stopped reporting and left no exit status"),
    Transition(TI.RUNNING, TI.RESOURCE_ERROR, "it used more than it asked for"),
    Transition(TI.RUNNING, TI.KILL_SELF, "a resume arrives while it runs"),
    Transition(TI.RUNNING, TI.DONE, "the command finished"),
    Transition(TI.TRIAGING, TI.RUNNING, "it reported after all"),
    Transition(TI.TRIAGING, TI.RESOURCE_ERROR, "triage found a resource exit status"),
    Transition(TI.TRIAGING, TI.UNKNOWN_ERROR, "triage found nothing"),
    Transition(TI.TRIAGING, TI.ERROR_FATAL, "triage found something that cannot be retried"),
    Transition(TI.KILL_SELF, TI.ERROR_FATAL, "it was killed as told"),
    Transition(TI.KILL_SELF, TI.DONE, "it finished before it could be killed"),
    Transition(TI.NO_HEARTBEAT, TI.ERROR, "it never started: let the task try again"),
)
"""The moves a task instance may make."""

UNTIMELY: Final = (
    Transition(TI.RUNNING, TI.LAUNCHED, "the worker node was quicker than the distributor's word that it launched"),
    Transition(TI.ERROR, TI.LAUNCHED, "it failed before the distributor could say that it launched"),
    Transition(TI.ERROR, TI.UNKNOWN_ERROR, "triage found nothing, but the worker node has told the cause"),
    Transition(TI.ERROR, TI.ERROR, "the same failure is reported again"),
    Transition(TI.UNKNOWN_ERROR, TI.DONE, "it finished after triage gave it up"),
    Transition(TI.UNKNOWN_ERROR, TI.ERROR, "it failed after triage gave it up"),
    Transition(TI.UNKNOWN_ERROR, TI.RESOURCE_ERROR, "the resource exit status came after triage gave it up"),
    Transition(TI.RESOURCE_ERROR, TI.UNKNOWN_ERROR, "triage found nothing, but the resource exit status is known"),
    Transition(TI.DONE, TI.UNKNOWN_ERROR, "triage looked for it while it finished"),
    Transition(TI.KILL_SELF, TI.ERROR, "it failed before it could be killed"),
    Transition(TI.KILL_SELF, TI.RESOURCE_ERROR, "it ran out of resources before it could be killed"),
    Transition(TI.KILL_SELF, TI.UNKNOWN_ERROR, "triage lost sight of it before it could be killed"),
)
"""Reports that lost a race with another one: they are acknowledged, change no status and are no errors."""

TASK_MOVES: Final = (
    TaskTransition(T.REGISTERING, T.QUEUED, "it is queued for its first attempt, or its next one"),
    TaskTransition(T.ADJUSTING_RESOURCES, T.QUEUED, "it is queued again with other resources"),
    TaskTransition(T.QUEUED, T.INSTANTIATING, "the distributor takes its attempt"),
    TaskTransition(T.INSTANTIATING, T.LAUNCHED, "the cluster accepted its attempt"),
    TaskTransition(T.INSTANTIATING, T.RUNNING, "its attempt started before the distributor said so"),
    TaskTransition(T.INSTANTIATING, T.ERROR_RECOVERABLE, "its attempt could not be submitted"),
    TaskTransition(T.LAUNCHED, T.RUNNING, "its attempt started"),
    TaskTransition(T.LAUNCHED, T.ERROR_RECOVERABLE, "its attempt never started"),
    TaskTransition(T.RUNNING, T.DONE, "its attempt finished"),
    TaskTransition(T.RUNNING, T.ERROR_RECOVERABLE, "its attempt failed"),
    TaskTransition(T.ERROR_RECOVERABLE, T.ADJUSTING_RESOURCES, "it needs other resources before it tries again"),
    TaskTransition(T.ERROR_RECOVERABLE, T.QUEUED, "it is queued again at once"),
    TaskTransition(T.ERROR_RECOVERABLE, T.REGISTERING, "it has attempts left and waits to be queued"),
    TaskTransition(T.ERROR_RECOVERABLE, T.ERROR_FATAL, "it has no attempts left, or another one would not help"),
)
"""The moves a task may make."""

_VALID: Final = {(transition.source, transition.target): transition.reason for transition in VALID}
_UNTIMELY: Final = {(transition.source, transition.target): transition.reason for transition in UNTIMELY}
_TASK_MOVES: Final = {(transition.source, transition.target): transition.reason for transition in TASK_MOVES}

TASK_FOLLOWS: Final[Mapping[TaskInstanceStatus, TaskStatus]] = {
    TI.QUEUED: T.QUEUED,
    TI.INSTANTIATED: T.INSTANTIATING,
    TI.LAUNCHED: T.LAUNCHED,
    TI.RUNNING: T.RUNNING,
    TI.DONE: T.DONE,
}
"""The task's status where it mirrors its instance's."""


class RefusalKind(StrEnum):
    """Why a report is refused."""

    UNTIMELY = "untimely"
    INVALID = "invalid"
    TASK_CANNOT_FOLLOW = "task cannot follow"
    SETTLED = "settled"
    REPEATED = "repeated"
    REPORTED_MEANWHILE = "reported meanwhile"
    FENCED = "fenced"
    OTHER_JOB = "other job"


@dataclass(frozen=True, slots=True)
class Move:
    """The instance moves to a status. task: the status that its task moves to; None: the task keeps its own.

    takes_over: a worker node is to run what another one was told to run.
    """

    task_instance: TaskInstanceStatus
    task: TaskStatus | None
    reason: str = field(compare=False)
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Neither the instance nor its task moves. A refusal is an answer, not an error.

    of_another: another worker node or job sent the report than the one that runs the instance.
    """

    kind: RefusalKind
    reason: str = field(compare=False)
    of_another: bool = field(default=False, compare=False)


Ruling = Move | Refusal


def get_new_task_status(
    new_status: TaskInstanceStatus, task_status: TaskStatus, *, attempts_left: bool
) -> tuple[TaskStatus, TaskStatus]:
    """The status that the task passes through and the one it ends in when its instance moves to new_status.

    Source: Jobmon's function of the same name.
    """
    if new_status in TASK_FOLLOWS:
        return (TASK_FOLLOWS[new_status],) * 2
    if new_status is TI.ERROR_FATAL or (new_status in ERROR_STATES and not attempts_left):
        return T.ERROR_RECOVERABLE, T.ERROR_FATAL
    if new_status is TI.RESOURCE_ERROR:
        return T.ERROR_RECOVERABLE, T.ADJUSTING_RESOURCES
    if new_status in ERROR_STATES:
        return T.ERROR_RECOVERABLE, T.REGISTERING
    return task_status, task_status


def validate_transition(state: PairState, new_status: TaskInstanceStatus) -> Ruling:
    """Rule on a task instance's move to new_status.

    The ruling depends on the two statuses, on the attempts left and on whether a later attempt exists.
    Source: Jobmon's function of the same name; departures 5 and 21 of docs/departures.md are ours.
    """
    pair = (state.task_instance, new_status)
    if pair not in _VALID:
        return _refuse(*pair)
    reason = _VALID[pair]
    if pair == (TI.TRIAGING, TI.RUNNING) and state.task is T.RUNNING and not state.superseded:
        return Move(TI.RUNNING, None, reason)
    if state.task in TERMINAL_TASK_STATUSES and (new_status in ERROR_STATES or new_status is TI.ERROR_FATAL):
        return Move(TI.ERROR_FATAL, None, WITHOUT_TASK)
    through, end = get_new_task_status(new_status, state.task, attempts_left=state.attempts_left)
    if (state.task, through) not in _TASK_MOVES:
        return Refusal(
            RefusalKind.TASK_CANNOT_FOLLOW, f"its task is {state.task.name}, which never becomes {through.name}"
        )
    return _rule_on_earlier_attempt(new_status, reason) if state.superseded else Move(new_status, end, reason)


WITHOUT_TASK: Final = "its task has ended without it: it ends here and must not loop"


def _refuse(status: TaskInstanceStatus, new_status: TaskInstanceStatus) -> Refusal:
    if (status, new_status) in _UNTIMELY:
        return Refusal(RefusalKind.UNTIMELY, _UNTIMELY[status, new_status])
    return Refusal(RefusalKind.INVALID, f"{status.name} never becomes {new_status.name}")


def _rule_on_earlier_attempt(new_status: TaskInstanceStatus, reason: str) -> Ruling:
    """Rule on an attempt whose task has a later one: the task goes with that one."""
    if new_status in _SERVES_TASK:
        return Refusal(RefusalKind.TASK_CANNOT_FOLLOW, "a later attempt of its task has replaced it")
    return Move(new_status, None, reason)


_SERVES_TASK: Final = frozenset({TI.INSTANTIATED, TI.LAUNCHED, TI.RUNNING})
"""Statuses that an instance moves to for its task's sake: an earlier attempt never does."""


@cache
def may_become(status: TaskInstanceStatus, later: TaskInstanceStatus) -> bool:
    """Whether an instance that was seen in status can be in later now.

    An instance that has not ended can also have moved to ERROR_FATAL after its task ended.
    """
    reached, ahead = {status} | (set() if has_ended(status) else {TI.ERROR_FATAL}), {status}
    while ahead:
        ahead = {transition.target for transition in VALID if transition.source in ahead} - reached
        reached |= ahead
    return later in reached


def has_ended(status: TaskInstanceStatus) -> bool:
    """Whether no move leaves a status."""
    return all(transition.source is not status for transition in VALID)


UNENDED: Final = frozenset(status for status in TI if not has_ended(status))
"""The statuses in which an instance may still move."""


def may_queue(task: TaskStatus) -> bool:
    """Whether a task may get a new attempt. Source: Jobmon queues what is REGISTERING or ADJUSTING_RESOURCES."""
    return task in {T.REGISTERING, T.ADJUSTING_RESOURCES}


def is_reset_by_binding(task: TaskStatus, *, reset_if_running: bool) -> bool:
    """Whether binding a task again starts it over: not if it is done, nor if it runs and may go on."""
    if task is T.RUNNING:
        return reset_if_running
    return task is not T.DONE
