"""The rules of reports, one for each kind of report, and the ruling on a report.

A report is ruled on by its own circumstances first, then by the table in transitions.py, then by what it may do where
the table refuses. Each route that moves an instance reports by one of the rules below.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cache
from typing import Final, NamedTuple

from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import (
    TASK_FOLLOWS,
    Move,
    PairState,
    Refusal,
    RefusalKind,
    Ruling,
    Sender,
    has_ended,
    validate_transition,
)

TI = TaskInstanceStatus
T = TaskStatus

RIVAL_SECONDS: Final = 0.95
"""Equal claims within this time come from two worker nodes: containers may share host name and process id. Jobmon's
client repeats a lost claim after 1 s at the earliest; the rest is for clocks that differ.
"""
RESTART_SECONDS: Final = 30.0
"""Two claims of one job from different nodes within this time come from a job that was started twice at once. Later,
the cluster has started the job again after a failure of its node.
"""


class Names(StrEnum):
    """The party that the names in a report identify."""

    WORKER = "worker"
    """The worker node that sends it: its job and its node."""
    JOB = "job"
    """The job that the distributor reports on, in the distributor's own form of its id."""


class ReportRule(NamedTuple):
    """A kind of report: its target, and the conditions under which it moves an instance."""

    name: str
    target: TaskInstanceStatus
    assumed: PairState
    """The pair state that the first write assumes: nearly always the one that stands when this report comes."""
    usual: frozenset[TaskInstanceStatus] = frozenset()
    """The statuses in which the report comes as a matter of course, if there are several: one write serves them."""
    through_running: bool = False
    """The worker node itself reports, so an instance in TRIAGING passes through RUNNING."""
    instead: tuple[tuple[TaskInstanceStatus, TaskInstanceStatus], ...] = ()
    """Other targets, by source, for where the move to target is refused."""
    settled: frozenset[TaskInstanceStatus] = frozenset()
    """Statuses in which the report is refused because the instance has ended."""
    again: tuple[TaskInstanceStatus, TaskStatus] | None = None
    """The pair that this report has already moved, if its reply was lost."""
    only_from: frozenset[TaskInstanceStatus] = frozenset(TI)
    """The statuses that this report can move. It is refused in all others."""
    task_may_stay: bool = False
    """The instance moves even where its task cannot follow."""
    if_overdue: bool = False
    """Only an instance whose report_by has passed may be moved."""
    claims: bool = False
    """The caller wants to run the command. At most one worker node may."""
    names: Names | None = None
    """The party that its names identify. A report of another worker node or job than the one that runs is refused."""
    may_rename: bool = False
    """The report may name another job until the instance has ended."""
    unstarted: frozenset[TaskInstanceStatus] = frozenset()
    """Statuses in which there is nothing to kill: the instance passes through KILL_SELF to ERROR_FATAL at once."""


def rule_on(rule: ReportRule, state: PairState) -> Ruling:
    """Rule on a report: by its own circumstances, then by the table, then by what it may do where the table refuses."""
    by_circumstances = _rule_on_circumstances(rule, state)
    if by_circumstances:
        return by_circumstances
    if state.task_instance in rule.unstarted:
        return rule_on(KILLED, state._replace(task_instance=TI.KILL_SELF))
    ruling = validate_transition(state, rule.target)
    return ruling if isinstance(ruling, Move) else _rule_on_refusal(rule, state, ruling)


def _rule_on_circumstances(rule: ReportRule, state: PairState) -> Ruling | None:
    """None: the table decides."""
    if state.sender is Sender.OTHER and concerns_names(rule, state.task_instance):
        return _REFUSED_BY_NAME[rule.names or Names.WORKER]
    if state.task_instance in rule.settled:
        return Refusal(RefusalKind.SETTLED, "it is in a final status")
    if state.task_instance not in rule.only_from:
        names = ", ".join(sorted(status.name for status in rule.only_from))
        return Refusal(RefusalKind.INVALID, f"{rule.name} is about {names} only")
    if rule.again == (state.task_instance, state.task) and not state.superseded:
        return Refusal(RefusalKind.REPEATED, "it is done already: the first reply was lost")
    if rule.if_overdue and not state.overdue:
        return Refusal(RefusalKind.REPORTED_MEANWHILE, "it is not overdue: it reported meanwhile, or was never due")
    return _rule_on_claim(state) if rule.claims else None


def concerns_names(rule: ReportRule, status: TaskInstanceStatus) -> bool:
    """Whether the names in a report matter while the instance is in a status: an ended one keeps the names it has."""
    return rule.names is not None and (has_ended(status) or not rule.may_rename)


OF_OTHER_JOB: Final = Refusal(RefusalKind.OTHER_JOB, "it runs as another job", of_another=True)
_REFUSED_BY_NAME: Final = {
    Names.WORKER: Refusal(RefusalKind.FENCED, "another worker node has taken it over", of_another=True),
    Names.JOB: OF_OTHER_JOB,
}


def _rule_on_refusal(rule: ReportRule, state: PairState, refusal: Refusal) -> Ruling:
    if rule.task_may_stay and refusal.kind is RefusalKind.TASK_CANNOT_FOLLOW:
        return Move(rule.target, None, _why_its_task_stays(rule.target, state.task))
    if rule.through_running and state.task_instance is TI.TRIAGING:
        return _rule_through_running(rule, state, refusal)
    for source, target in rule.instead:
        if state.task_instance is source:
            return validate_transition(state, target)
    return refusal


def _why_its_task_stays(target: TaskInstanceStatus, task: TaskStatus) -> str:
    if target in NEEDS_ATTENTION:
        return "its task waits for what becomes of it"
    if task is T.QUEUED:
        return "its task stays QUEUED until the resume binds it again"
    return "a resume has put its task elsewhere already"


def status_told(ruling: Ruling, state: PairState) -> TaskInstanceStatus:
    """The status that the caller is told. A fenced worker hears KILL_SELF, so it stops; after the end, the end."""
    if isinstance(ruling, Move):
        return ruling.task_instance
    fenced = ruling.kind is RefusalKind.FENCED and not has_ended(state.task_instance)
    return TI.KILL_SELF if fenced else state.task_instance


def _rule_through_running(rule: ReportRule, state: PairState, refusal: Refusal) -> Ruling:
    running = validate_transition(state, TI.RUNNING)
    if isinstance(running, Refusal):
        return refusal
    return validate_transition(state._replace(task_instance=TI.RUNNING, task=running.task or state.task), rule.target)


def _rule_on_claim(state: PairState) -> Ruling | None:
    """None: the table decides."""
    if has_ended(state.task_instance) and state.sender is not Sender.CLAIMANT:
        return Refusal(RefusalKind.FENCED, "another worker node ran it to its end", of_another=True)
    return _rule_on_second_claim(state) if state.task_instance in CLAIMED else None


def _rule_on_second_claim(state: PairState) -> Ruling | None:
    """None: the table refuses, for an instance in TRIAGING that cannot go on."""
    if state.not_yet_due and (state.sender is Sender.OTHER or state.just_claimed):
        return Refusal(RefusalKind.FENCED, _why_rival(state), of_another=True)
    if state.task_instance is not TI.RUNNING:
        back = validate_transition(state, TI.RUNNING)
        return replace(back, takes_over=state.sender is not Sender.CLAIMANT) if isinstance(back, Move) else None
    if state.not_yet_due and state.sender is Sender.CLAIMANT:
        return Move(TI.RUNNING, None, "the worker node that runs it asks again: its first reply was lost")
    if state.superseded:
        by_another = state.sender is not Sender.CLAIMANT or state.just_claimed
        return Refusal(
            RefusalKind.FENCED, "a later attempt has replaced it: nobody takes this one over", of_another=by_another
        )
    return Move(TI.RUNNING, None, _why_it_takes_over(state), takes_over=state.sender is not Sender.CLAIMANT)


def _why_rival(state: PairState) -> str:
    return {
        Sender.OTHER: "another worker node runs it: a command must not run twice at once",
        Sender.RESTART: "its job was started twice at once: the first one to claim it runs it",
        Sender.CLAIMANT: "another worker node with the same names claimed it a moment ago",
    }[state.sender]


def _why_it_takes_over(state: PairState) -> str:
    if state.not_yet_due:
        return "the cluster has started its job again: this worker node takes over"
    return "the worker node that ran it has fallen silent: this one takes over"


CLAIMED: Final = frozenset({TI.RUNNING, TI.TRIAGING})
"""Statuses in which a worker node has been told to run the command."""

_RUNS: Final = PairState(TI.RUNNING, T.RUNNING)

INSTANTIATE: Final = ReportRule(
    "instantiate",
    TI.INSTANTIATED,
    assumed=PairState(TI.QUEUED, T.QUEUED),
    again=(TI.INSTANTIATED, T.INSTANTIATING),
)
LAUNCH: Final = ReportRule(
    "launch",
    TI.LAUNCHED,
    assumed=PairState(TI.INSTANTIATED, T.INSTANTIATING),
    settled=frozenset({TI.DONE, TI.ERROR, TI.ERROR_FATAL}),
    names=Names.JOB,
    may_rename=True,
)
LAUNCH_FAILED: Final = ReportRule(
    "launch_failed", TI.NO_DISTRIBUTOR_ID, assumed=PairState(TI.INSTANTIATED, T.INSTANTIATING)
)
START: Final = ReportRule(
    "start",
    TI.RUNNING,
    assumed=PairState(TI.LAUNCHED, T.LAUNCHED),
    usual=frozenset({TI.INSTANTIATED, TI.LAUNCHED}),
    instead=((TI.KILL_SELF, TI.ERROR_FATAL), (TI.NO_HEARTBEAT, TI.ERROR)),
    claims=True,
)
KILLED: Final = ReportRule(
    "killed",
    TI.ERROR_FATAL,
    assumed=PairState(TI.KILL_SELF, T.RUNNING),
    only_from=frozenset({TI.KILL_SELF}),
    task_may_stay=True,
)
RECOVER: Final = ReportRule(
    "recover",
    TI.RUNNING,
    assumed=PairState(TI.TRIAGING, T.RUNNING),
    only_from=frozenset({TI.TRIAGING}),
    names=Names.WORKER,
)
FINISH: Final = ReportRule("finish", TI.DONE, assumed=_RUNS, through_running=True, names=Names.WORKER)
FELL_SILENT: Final = ReportRule(
    "fell_silent",
    TI.TRIAGING,
    assumed=_RUNS._replace(overdue=True),
    only_from=frozenset({TI.RUNNING}),
    task_may_stay=True,
    if_overdue=True,
)
NEVER_REPORTED: Final = ReportRule(
    "never_reported",
    TI.NO_HEARTBEAT,
    assumed=PairState(TI.LAUNCHED, T.LAUNCHED, overdue=True),
    only_from=frozenset({TI.LAUNCHED}),
    task_may_stay=True,
    if_overdue=True,
)
ABANDONED: Final[Mapping[TaskInstanceStatus, ReportRule]] = {
    TI.TRIAGING: ReportRule(
        "abandoned_in_triage",
        TI.UNKNOWN_ERROR,
        assumed=PairState(TI.TRIAGING, T.RUNNING, overdue=True),
        only_from=frozenset({TI.TRIAGING}),
        task_may_stay=True,
        if_overdue=True,
    ),
    TI.NO_HEARTBEAT: ReportRule(
        "abandoned_unstarted",
        TI.ERROR,
        assumed=PairState(TI.NO_HEARTBEAT, T.LAUNCHED),
        only_from=frozenset({TI.NO_HEARTBEAT}),
        task_may_stay=True,
    ),
    TI.KILL_SELF: ReportRule(
        "abandoned_in_kill",
        TI.ERROR_FATAL,
        assumed=PairState(TI.KILL_SELF, T.RUNNING, overdue=True),
        only_from=frozenset({TI.KILL_SELF}),
        task_may_stay=True,
        if_overdue=True,
    ),
}
"""The reports that settle an instance which needs attention, by its status, when no distributor does."""


@cache
def failure_of_worker(error_state: TaskInstanceStatus) -> ReportRule:
    """The worker node says that its command ended in error_state; in ERROR_FATAL after it was told to kill it."""
    killed = error_state is TI.ERROR_FATAL
    assumed = PairState(TI.KILL_SELF, T.RUNNING) if killed else _RUNS
    return ReportRule("failure_of_worker", error_state, assumed=assumed, through_running=True, names=Names.WORKER)


@cache
def failure_known(error_state: TaskInstanceStatus) -> ReportRule:
    """Triage found the cause of a failure."""
    return ReportRule("failure_known", error_state, assumed=_assumed_in_triage(error_state), names=Names.JOB)


@cache
def failure_unknown(error_state: TaskInstanceStatus) -> ReportRule:
    """Triage found no cause; a heartbeat that came meanwhile proves it wrong."""
    assumed = _assumed_in_triage(error_state)._replace(overdue=True)
    return ReportRule("failure_unknown", error_state, assumed=assumed, if_overdue=True, names=Names.JOB)


def stopped_by_resume(*, hot: bool) -> frozenset[TaskInstanceStatus]:
    """The statuses in which a resume stops an instance. A hot resume lets RUNNING ones go on."""
    return frozenset({TI.QUEUED, TI.INSTANTIATED, TI.LAUNCHED} | (set() if hot else {TI.RUNNING}))


@cache
def terminate(status: TaskInstanceStatus, *, hot: bool) -> ReportRule:
    """A resume ends the workflow run of an instance that was read in a status."""
    return ReportRule(
        "terminate_hot" if hot else "terminate",
        TI.KILL_SELF,
        assumed=PairState(status, TASK_FOLLOWS[status]),
        only_from=stopped_by_resume(hot=hot),
        task_may_stay=True,
        unstarted=frozenset({TI.QUEUED, TI.INSTANTIATED}),
    )


def _assumed_in_triage(error_state: TaskInstanceStatus) -> PairState:
    """ERROR comes of an instance that never started; the other error states of one that fell silent."""
    if error_state is TI.ERROR:
        return PairState(TI.NO_HEARTBEAT, T.LAUNCHED)
    return PairState(TI.TRIAGING, T.RUNNING)
