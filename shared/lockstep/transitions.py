"""The state machine: which moves there are, why, and what the task does when its instance moves.

Every rule of Lockstep stands in this file and nowhere else. It knows nothing of storage or of the wire.
docs/state-machine.md is generated from it (`make docs`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from lockstep.standing import Premise, Standing
from lockstep.statuses import (
    ERROR_STATES,
    NEEDS_ATTENTION,
    TERMINAL_TASK_STATUSES,
    TaskInstanceStatus,
    TaskStatus,
)

TI = TaskInstanceStatus
T = TaskStatus


class Edge(NamedTuple):
    """A move of a task instance, and the sentence that says when it happens."""

    source: TaskInstanceStatus
    target: TaskInstanceStatus
    reason: str


class TaskEdge(NamedTuple):
    """A move of a task, and the sentence that says when it happens."""

    source: TaskStatus
    target: TaskStatus
    reason: str


VALID: Final = (
    Edge(TI.QUEUED, TI.INSTANTIATED, "the distributor takes it"),
    Edge(TI.QUEUED, TI.KILL_SELF, "a resume arrives before anyone took it"),
    Edge(TI.INSTANTIATED, TI.LAUNCHED, "the cluster accepted the submission"),
    Edge(TI.INSTANTIATED, TI.NO_DISTRIBUTOR_ID, "the submission gave no distributor id"),
    Edge(TI.INSTANTIATED, TI.KILL_SELF, "a resume arrives in mid submission"),
    Edge(TI.INSTANTIATED, TI.RUNNING, "the worker node reported before the distributor did"),
    Edge(TI.LAUNCHED, TI.RUNNING, "the worker node started"),
    Edge(TI.LAUNCHED, TI.UNKNOWN_ERROR, "it left the cluster and never reported"),
    Edge(TI.LAUNCHED, TI.NO_HEARTBEAT, "no heartbeat before its deadline"),
    Edge(TI.LAUNCHED, TI.RESOURCE_ERROR, "the cluster killed it for resources before it reported"),
    Edge(TI.LAUNCHED, TI.KILL_SELF, "a resume arrives while it waits on the cluster"),
    Edge(TI.LAUNCHED, TI.ERROR_FATAL, "it can never run here (environment mismatch)"),
    Edge(TI.RUNNING, TI.TRIAGING, "its heartbeat is overdue"),
    Edge(TI.RUNNING, TI.ERROR, "the command failed"),
    Edge(TI.RUNNING, TI.UNKNOWN_ERROR, "it stopped reporting and left no exit status"),
    Edge(TI.RUNNING, TI.RESOURCE_ERROR, "it used more than it asked for"),
    Edge(TI.RUNNING, TI.KILL_SELF, "a resume arrives while it runs"),
    Edge(TI.RUNNING, TI.DONE, "the command finished"),
    Edge(TI.TRIAGING, TI.RUNNING, "it reported after all"),
    Edge(TI.TRIAGING, TI.RESOURCE_ERROR, "triage found a resource exit status"),
    Edge(TI.TRIAGING, TI.UNKNOWN_ERROR, "triage found nothing"),
    Edge(TI.TRIAGING, TI.ERROR_FATAL, "triage found something that cannot be retried"),
    Edge(TI.KILL_SELF, TI.ERROR_FATAL, "it was killed as told"),
    Edge(TI.KILL_SELF, TI.DONE, "it finished before it could be killed"),
    Edge(TI.NO_HEARTBEAT, TI.ERROR, "it never started: let the task try again"),
)
"""The moves a task instance may make."""

UNTIMELY: Final = (
    Edge(TI.RUNNING, TI.LAUNCHED, "the worker node was quicker than the distributor's word that it launched"),
    Edge(TI.ERROR, TI.LAUNCHED, "it failed before the distributor could say that it launched"),
    Edge(TI.ERROR, TI.UNKNOWN_ERROR, "triage found nothing, but the worker node has told the cause"),
    Edge(TI.ERROR, TI.ERROR, "the same failure is reported again"),
    Edge(TI.UNKNOWN_ERROR, TI.DONE, "it finished after triage gave it up"),
    Edge(TI.UNKNOWN_ERROR, TI.ERROR, "it failed after triage gave it up"),
    Edge(TI.UNKNOWN_ERROR, TI.RESOURCE_ERROR, "the resource exit status came after triage gave it up"),
    Edge(TI.RESOURCE_ERROR, TI.UNKNOWN_ERROR, "triage found nothing, but the resource exit status is known"),
    Edge(TI.DONE, TI.UNKNOWN_ERROR, "triage looked for it while it finished"),
    Edge(TI.KILL_SELF, TI.ERROR, "it failed before it could be killed"),
    Edge(TI.KILL_SELF, TI.RESOURCE_ERROR, "it ran out of resources before it could be killed"),
    Edge(TI.KILL_SELF, TI.UNKNOWN_ERROR, "triage lost sight of it before it could be killed"),
)
"""Reports that lost a race with another one: acknowledged, nothing moves, no error."""

TASK_MOVES: Final = (
    TaskEdge(T.REGISTERING, T.QUEUED, "it is queued for its first attempt, or its next one"),
    TaskEdge(T.ADJUSTING_RESOURCES, T.QUEUED, "it is queued again with other resources"),
    TaskEdge(T.QUEUED, T.INSTANTIATING, "the distributor takes its attempt"),
    TaskEdge(T.INSTANTIATING, T.LAUNCHED, "the cluster accepted its attempt"),
    TaskEdge(T.INSTANTIATING, T.RUNNING, "its attempt started before the distributor said so"),
    TaskEdge(T.INSTANTIATING, T.ERROR_RECOVERABLE, "its attempt could not be submitted"),
    TaskEdge(T.LAUNCHED, T.RUNNING, "its attempt started"),
    TaskEdge(T.LAUNCHED, T.ERROR_RECOVERABLE, "its attempt never started"),
    TaskEdge(T.RUNNING, T.DONE, "its attempt finished"),
    TaskEdge(T.RUNNING, T.ERROR_RECOVERABLE, "its attempt failed"),
    TaskEdge(T.ERROR_RECOVERABLE, T.ADJUSTING_RESOURCES, "it needs other resources before it tries again"),
    TaskEdge(T.ERROR_RECOVERABLE, T.QUEUED, "it is queued again at once"),
    TaskEdge(T.ERROR_RECOVERABLE, T.REGISTERING, "it has attempts left and waits to be queued"),
    TaskEdge(T.ERROR_RECOVERABLE, T.ERROR_FATAL, "it has no attempts left"),
)
"""The moves a task may make."""

_VALID: Final = {(edge.source, edge.target): edge.reason for edge in VALID}
_UNTIMELY: Final = {(edge.source, edge.target): edge.reason for edge in UNTIMELY}
_TASK_MOVES: Final = {(edge.source, edge.target) for edge in TASK_MOVES}

_TASK_FOLLOWS: Final[Mapping[TaskInstanceStatus, TaskStatus]] = {
    TI.QUEUED: T.QUEUED,
    TI.INSTANTIATED: T.INSTANTIATING,
    TI.LAUNCHED: T.LAUNCHED,
    TI.RUNNING: T.RUNNING,
    TI.DONE: T.DONE,
}
"""Where the task goes when it simply does as its instance does."""


class Kind(StrEnum):
    """Why a report moves nothing."""

    UNTIMELY = "untimely"
    INVALID = "invalid"
    TASK_CANNOT_FOLLOW = "task cannot follow"
    SETTLED = "settled"
    REPEATED = "repeated"
    REPORTED_MEANWHILE = "reported meanwhile"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class Move:
    """The instance moves, and its task with it; a task of None stays as it is."""

    task_instance: TaskInstanceStatus
    task: TaskStatus | None
    reason: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Neither moves. An answer, not an error."""

    kind: Kind
    reason: str = field(compare=False)


Ruling = Move | Refusal


@dataclass(frozen=True, slots=True)
class Report:
    """What a caller wants of the state machine. Each route that moves something has one, below."""

    name: str
    target: TaskInstanceStatus
    usual: Standing
    """How things nearly always stand when this report comes: what the first write bets on."""
    through_running: bool = False
    """The reporter is the worker node itself, so an instance in TRIAGING is RUNNING after all."""
    instead: tuple[tuple[TaskInstanceStatus, TaskInstanceStatus], ...] = ()
    """Where an instance goes whose move to target is refused, by the status it is in."""
    settled: frozenset[TaskInstanceStatus] = frozenset()
    """Statuses in which there is nothing left to say."""
    again: tuple[TaskInstanceStatus, TaskStatus] | None = None
    """Where instance and task stand when this report has been heard before and its reply was lost."""
    only_from: frozenset[TaskInstanceStatus] = frozenset(TI)
    """Statuses that this report is about."""
    task_may_stay: bool = False
    """The instance moves even where its task cannot follow."""
    if_overdue: bool = False
    """Only an instance whose report_by has passed may be moved."""
    claims: bool = False
    """The caller wants to run the command: at most one may."""
    unstarted: frozenset[TaskInstanceStatus] = frozenset()
    """Statuses in which there is nothing to kill: through KILL_SELF the instance goes straight to ERROR_FATAL."""


def get_new_task_status(
    new_status: TaskInstanceStatus, task_status: TaskStatus, *, attempts_left: bool
) -> tuple[TaskStatus, TaskStatus]:
    """The status the task passes through and the one it ends in when its instance moves to new_status.

    Source: Jobmon's function of the same name.
    """
    if new_status in _TASK_FOLLOWS:
        return (_TASK_FOLLOWS[new_status],) * 2
    if new_status is TI.ERROR_FATAL or (new_status in ERROR_STATES and not attempts_left):
        return T.ERROR_RECOVERABLE, T.ERROR_FATAL
    if new_status is TI.RESOURCE_ERROR:
        return T.ERROR_RECOVERABLE, T.ADJUSTING_RESOURCES
    if new_status in ERROR_STATES:
        return T.ERROR_RECOVERABLE, T.REGISTERING
    return task_status, task_status


def validate_transition(standing: Standing, new_status: TaskInstanceStatus) -> Ruling:
    """Rule on a task instance's move to new_status, by the two statuses, the attempts left and a later attempt alone.

    Source: Jobmon's function of the same name; departures 5 and 21 of docs/departures.md are ours.
    """
    pair = (standing.task_instance, new_status)
    if pair not in _VALID:
        return _rule_on_no_move(*pair)
    reason = _VALID[pair]
    if pair == (TI.TRIAGING, TI.RUNNING) and standing.task is T.RUNNING and not standing.superseded:
        return Move(TI.RUNNING, None, reason)
    if standing.task in TERMINAL_TASK_STATUSES and (new_status in ERROR_STATES or new_status is TI.ERROR_FATAL):
        return Move(TI.ERROR_FATAL, None, "its task has ended without it: it is laid to rest and must not loop")
    through, end = get_new_task_status(new_status, standing.task, attempts_left=standing.attempts_left)
    if (standing.task, through) not in _TASK_MOVES:
        return Refusal(Kind.TASK_CANNOT_FOLLOW, f"its task is {standing.task.name}, which never becomes {through.name}")
    return _rule_on_superseded(new_status, reason) if standing.superseded else Move(new_status, end, reason)


def _rule_on_no_move(status: TaskInstanceStatus, new_status: TaskInstanceStatus) -> Refusal:
    if (status, new_status) in _UNTIMELY:
        return Refusal(Kind.UNTIMELY, _UNTIMELY[status, new_status])
    return Refusal(Kind.INVALID, f"{status.name} never becomes {new_status.name}")


def _rule_on_superseded(new_status: TaskInstanceStatus, reason: str) -> Ruling:
    """Its task could follow, but follows the later attempt."""
    if new_status in _ON_THE_WAY:
        return Refusal(Kind.TASK_CANNOT_FOLLOW, "its task has been given a later attempt, which goes on in its stead")
    return Move(new_status, None, reason)


_ON_THE_WAY: Final = frozenset({TI.INSTANTIATED, TI.LAUNCHED, TI.RUNNING})
"""Statuses towards which an instance moves for its task's sake."""


def rule(report: Report, standing: Standing) -> Ruling:
    """Rule on a report: its own circumstances first, then the table, then what the report may do where that refuses."""
    settled_before = _rule_on_circumstances(report, standing)
    if settled_before:
        return settled_before
    if standing.task_instance in report.unstarted:
        return rule(KILLED, standing._replace(task_instance=TI.KILL_SELF))
    ruling = validate_transition(standing, report.target)
    return ruling if isinstance(ruling, Move) else _rule_on_refusal(report, standing, ruling)


def _rule_on_circumstances(report: Report, standing: Standing) -> Ruling | None:
    """None where the table has the say."""
    if standing.task_instance in report.settled:
        return Refusal(Kind.SETTLED, "it is in a final status")
    if standing.task_instance not in report.only_from:
        return Refusal(Kind.INVALID, f"{report.name} is about {', '.join(s.name for s in report.only_from)} only")
    if report.again == (standing.task_instance, standing.task) and not standing.superseded:
        return Refusal(Kind.REPEATED, "it is done already: the first reply was lost")
    if report.if_overdue and not standing.overdue:
        return Refusal(Kind.REPORTED_MEANWHILE, "it is not overdue: it reported meanwhile, or was never due")
    if report.claims and standing.task_instance in CLAIMED:
        return _rule_on_second_claim(standing)
    return None


def _rule_on_refusal(report: Report, standing: Standing, refusal: Refusal) -> Ruling:
    if report.task_may_stay and refusal.kind is Kind.TASK_CANNOT_FOLLOW:
        return Move(report.target, None, _why_its_task_stays(report.target))
    if report.through_running and standing.task_instance is TI.TRIAGING:
        return _rule_through_running(report, standing, refusal)
    for source, target in report.instead:
        if standing.task_instance is source:
            return validate_transition(standing, target)
    return refusal


def _why_its_task_stays(target: TaskInstanceStatus) -> str:
    if target in NEEDS_ATTENTION:
        return "its task waits for what becomes of it"
    return "a resume has put its task elsewhere already"


def status_told(ruling: Ruling, standing: Standing) -> TaskInstanceStatus:
    """The status that the reporter is told. A fenced worker hears KILL_SELF, so it stops before it runs anything."""
    if isinstance(ruling, Move):
        return ruling.task_instance
    return TI.KILL_SELF if ruling.kind is Kind.FENCED else standing.task_instance


def _rule_through_running(report: Report, standing: Standing, refusal: Refusal) -> Ruling:
    running = validate_transition(standing, TI.RUNNING)
    if isinstance(running, Refusal):
        return refusal
    return validate_transition(
        standing._replace(task_instance=TI.RUNNING, task=running.task or standing.task), report.target
    )


def _rule_on_second_claim(standing: Standing) -> Ruling | None:
    """None where the table has the say: an instance in TRIAGING that is silent, or whose own worker is back."""
    if standing.expected and not standing.same_worker:
        return Refusal(Kind.FENCED, "another worker node runs it: a command must not run twice at once")
    if standing.task_instance is not TI.RUNNING:
        return None
    if standing.expected:
        return Refusal(Kind.REPEATED, "the worker node that runs it asks again: its first reply was lost")
    if standing.superseded:
        return Refusal(Kind.FENCED, "a later attempt runs, or will: nobody takes this one over")
    return Move(TI.RUNNING, None, "the worker node that ran it has fallen silent: this one takes over")


CLAIMED: Final = frozenset({TI.RUNNING, TI.TRIAGING})
"""Statuses in which a worker node has been told to run the command."""

_RUNS: Final = Standing(TI.RUNNING, T.RUNNING)

INSTANTIATE: Final = Report(
    "instantiate",
    TI.INSTANTIATED,
    usual=Standing(TI.QUEUED, T.QUEUED),
    again=(TI.INSTANTIATED, T.INSTANTIATING),
)
LAUNCH: Final = Report(
    "launch",
    TI.LAUNCHED,
    usual=Standing(TI.INSTANTIATED, T.INSTANTIATING),
    settled=frozenset({TI.DONE, TI.ERROR, TI.ERROR_FATAL}),
)
LAUNCH_FAILED: Final = Report("launch_failed", TI.NO_DISTRIBUTOR_ID, usual=Standing(TI.INSTANTIATED, T.INSTANTIATING))
START: Final = Report(
    "start",
    TI.RUNNING,
    usual=Standing(TI.LAUNCHED, T.LAUNCHED),
    instead=((TI.KILL_SELF, TI.ERROR_FATAL), (TI.NO_HEARTBEAT, TI.ERROR)),
    claims=True,
)
KILLED: Final = Report(
    "killed",
    TI.ERROR_FATAL,
    usual=Standing(TI.KILL_SELF, T.RUNNING),
    only_from=frozenset({TI.KILL_SELF}),
    task_may_stay=True,
)
RECOVER: Final = Report(
    "recover", TI.RUNNING, usual=Standing(TI.TRIAGING, T.RUNNING), only_from=frozenset({TI.TRIAGING})
)
FINISH: Final = Report("finish", TI.DONE, usual=_RUNS, through_running=True)
FELL_SILENT: Final = Report(
    "fell_silent",
    TI.TRIAGING,
    usual=_RUNS._replace(overdue=True),
    only_from=frozenset({TI.RUNNING}),
    task_may_stay=True,
    if_overdue=True,
)
NEVER_REPORTED: Final = Report(
    "never_reported",
    TI.NO_HEARTBEAT,
    usual=Standing(TI.LAUNCHED, T.LAUNCHED, overdue=True),
    only_from=frozenset({TI.LAUNCHED}),
    task_may_stay=True,
    if_overdue=True,
)
ABANDONED: Final[Mapping[TaskInstanceStatus, Report]] = {
    TI.TRIAGING: Report(
        "abandoned_in_triage",
        TI.UNKNOWN_ERROR,
        usual=Standing(TI.TRIAGING, T.RUNNING, overdue=True),
        only_from=frozenset({TI.TRIAGING}),
        task_may_stay=True,
        if_overdue=True,
    ),
    TI.NO_HEARTBEAT: Report(
        "abandoned_unstarted",
        TI.ERROR,
        usual=Standing(TI.NO_HEARTBEAT, T.LAUNCHED),
        only_from=frozenset({TI.NO_HEARTBEAT}),
        task_may_stay=True,
    ),
    TI.KILL_SELF: Report(
        "abandoned_in_kill",
        TI.ERROR_FATAL,
        usual=Standing(TI.KILL_SELF, T.RUNNING, overdue=True),
        only_from=frozenset({TI.KILL_SELF}),
        task_may_stay=True,
        if_overdue=True,
    ),
}
"""What becomes of an instance that needs attention when the distributor that should give it is gone."""


@cache
def failure_of_worker(error_state: TaskInstanceStatus) -> Report:
    """The worker node says that its command ended in error_state; in ERROR_FATAL after it was told to kill it."""
    killed = error_state is TI.ERROR_FATAL
    usual = Standing(TI.KILL_SELF, T.RUNNING) if killed else _RUNS
    return Report("failure_of_worker", error_state, usual=usual, through_running=True)


@cache
def failure_known(error_state: TaskInstanceStatus) -> Report:
    """Triage found the cause of a failure."""
    return Report("failure_known", error_state, usual=_usual_in_triage(error_state))


@cache
def failure_unknown(error_state: TaskInstanceStatus) -> Report:
    """Triage found no cause; a heartbeat that came meanwhile proves it wrong."""
    usual = _usual_in_triage(error_state)._replace(overdue=True)
    return Report("failure_unknown", error_state, usual=usual, if_overdue=True)


def stopped_by_resume(*, hot: bool) -> frozenset[TaskInstanceStatus]:
    """The statuses in which a resume stops an instance: what is RUNNING may go on if it is hot."""
    return frozenset({TI.QUEUED, TI.INSTANTIATED, TI.LAUNCHED} | (set() if hot else {TI.RUNNING}))


@cache
def terminate(seen: TaskInstanceStatus, *, hot: bool) -> Report:
    """A resume ends the workflow run of an instance that was seen in a status."""
    return Report(
        "terminate_hot" if hot else "terminate",
        TI.KILL_SELF,
        usual=Standing(seen, _TASK_FOLLOWS[seen]),
        only_from=stopped_by_resume(hot=hot),
        task_may_stay=True,
        unstarted=frozenset({TI.QUEUED, TI.INSTANTIATED}),
    )


def _usual_in_triage(error_state: TaskInstanceStatus) -> Standing:
    """ERROR comes of an instance that never started; the other error states of one that fell silent."""
    if error_state is TI.ERROR:
        return Standing(TI.NO_HEARTBEAT, T.LAUNCHED)
    return Standing(TI.TRIAGING, T.RUNNING)


@cache
def premise(report: Report, standing: Standing) -> tuple[Ruling, Premise]:
    """The ruling on a standing, with the widest premise found that gives that ruling throughout.

    A refusal's premise holds the one instance status that the caller is told; so does that of a claim on an
    instance that somebody has claimed, which rests on the deadline too.
    """
    ruling = rule(report, standing)

    def same(ti: TaskInstanceStatus, task: TaskStatus, **other: bool) -> bool:
        return rule(report, standing._replace(task_instance=ti, task=task, **other)) == ruling

    apart = CLAIMED if report.claims else frozenset()
    is_claimed = standing.task_instance in apart
    sources = (
        frozenset({standing.task_instance})
        if isinstance(ruling, Refusal) or is_claimed
        else frozenset(ti for ti in set(TI) - apart if same(ti, standing.task))
    )
    tasks = frozenset(task for task in T if all(same(ti, task) for ti in sources))
    here = [(ti, task) for ti in sources for task in tasks]
    attempts_matter = not all(same(*pair, attempts_left=not standing.attempts_left) for pair in here)
    later_matters = not all(same(*pair, superseded=not standing.superseded) for pair in here)
    return ruling, Premise(
        task_instance=sources,
        task=tasks if len(tasks) < len(T) else None,
        attempts_left=standing.attempts_left if attempts_matter else None,
        superseded=standing.superseded if later_matters else None,
        overdue=report.if_overdue and standing.overdue,
        unexpected=is_claimed and not standing.expected,
    )


@cache
def may_become(status: TaskInstanceStatus, later: TaskInstanceStatus) -> bool:
    """Whether an instance that was seen in status can be in later by now, or still is.

    From wherever it has not ended, it can have been laid to rest after its task.
    """
    reached, ahead = {status} | (set() if has_ended(status) else {TI.ERROR_FATAL}), {status}
    while ahead:
        ahead = {edge.target for edge in VALID if edge.source in ahead} - reached
        reached |= ahead
    return later in reached


def has_ended(status: TaskInstanceStatus) -> bool:
    """Whether no move leads on from a status."""
    return all(edge.source is not status for edge in VALID)


def may_queue(task: TaskStatus) -> bool:
    """Whether a task may be given a new attempt now. Source: Jobmon queues what is REGISTERING or ADJUSTING."""
    return task in {T.REGISTERING, T.ADJUSTING_RESOURCES}


def is_reset_by_binding(task: TaskStatus, *, reset_if_running: bool) -> bool:
    """Whether binding a task again starts it over: unless it is done, or still runs and may go on."""
    if task is T.RUNNING:
        return reset_if_running
    return task is not T.DONE
