"""The whole grid of the state machine, against the table as it was designed, written down once more in letters."""

from collections.abc import Iterator
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import pytest

from lockstep.fsm import guards, transitions
from lockstep.fsm.guards import Guard, decide
from lockstep.fsm.reports import (
    ABANDONED,
    FELL_SILENT,
    FINISH,
    INSTANTIATE,
    KILLED,
    LAUNCH,
    LAUNCH_FAILED,
    NEVER_REPORTED,
    RECOVER,
    START,
    ReportRule,
    failure_known,
    failure_of_worker,
    failure_unknown,
    rule_on,
    status_told,
    stopped_by_resume,
    terminate,
)
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import (
    Move,
    PairState,
    Refusal,
    RefusalKind,
    Ruling,
    Sender,
    get_new_task_status,
    has_ended,
    is_reset_by_binding,
    may_become,
    validate_transition,
)

VALID = [
    *("QI", "QK"),
    *("IO", "IW", "IK", "IR"),
    *("OR", "OU", "OX", "OZ", "OK", "OF"),
    *("RT", "RE", "RU", "RZ", "RK", "RD"),
    *("TR", "TZ", "TU", "TF"),
    *("KF", "KD"),
    "XE",
]
UNTIMELY = ["RO", "EO", "EU", "EE", "UD", "UE", "UZ", "ZU", "DU", "KE", "KZ", "KU"]
TASK_MOVES = ["GQ", "AQ", "QI", "IO", "IR", "IE", "OR", "OE", "RD", "RE", "EA", "EQ", "EG", "EF"]
FOLLOWS = {
    **{letter: letter * 2 for letter in "QIORD"},
    **dict.fromkeys("WEU", "EG"),
    "Z": "EA",
    "F": "EF",
}
EXHAUSTED = {**FOLLOWS, **dict.fromkeys("WEUZ", "EF")}

TI = TaskInstanceStatus
T = TaskStatus


def designed(instance: str, target: str, task: str, *, attempts_left: bool, superseded: bool) -> str | RefusalKind:
    """Instance's and task's letter after the move ('.': stays), or why there is none."""
    if instance + target in UNTIMELY:
        return RefusalKind.UNTIMELY
    if instance + target not in VALID:
        return RefusalKind.INVALID
    if instance + target == "TR" and task == "R" and not superseded:
        return "R."
    if task in "DF" and target in "WEUZF":
        return "F."
    through, end = list((FOLLOWS if attempts_left else EXHAUSTED).get(target, task * 2))
    if task + through not in TASK_MOVES or (superseded and target in "IOR"):
        return RefusalKind.TASK_CANNOT_FOLLOW
    return target + "." if superseded else target + end


@pytest.mark.parametrize(
    ("instance", "target"), list(product(TI, TI)), ids=[f"{a.name} → {b.name}" for a, b in product(TI, TI)]
)
def test_grid(instance: TaskInstanceStatus, target: TaskInstanceStatus) -> None:
    for task, attempts_left, superseded in product(T, (True, False), (True, False)):
        ruling = validate_transition(PairState(instance, task, attempts_left, superseded=superseded), target)
        seen = ruling.task_instance + (ruling.task or ".") if isinstance(ruling, Move) else ruling.kind
        wanted = designed(instance, target, task, attempts_left=attempts_left, superseded=superseded)
        assert seen == wanted, (task, attempts_left, superseded)


@pytest.mark.parametrize("task", T)
@pytest.mark.parametrize("target", TI)
def test_what_the_task_does(target: TaskInstanceStatus, task: TaskStatus) -> None:
    for attempts_left, follows in ((True, FOLLOWS), (False, EXHAUSTED)):
        through, end = get_new_task_status(target, task, attempts_left=attempts_left)
        assert through + end == follows.get(target, task * 2)


def test_the_table_is_the_designed_one() -> None:
    assert [edge.source + edge.target for edge in transitions.VALID] == VALID
    assert [edge.source + edge.target for edge in transitions.UNTIMELY] == UNTIMELY
    assert [edge.source + edge.target for edge in transitions.TASK_MOVES] == TASK_MOVES


def test_every_edge_has_a_reason_of_its_own() -> None:
    for edges in (transitions.VALID, transitions.UNTIMELY, transitions.TASK_MOVES):
        assert all(edge.reason for edge in edges)
        assert len({edge.reason for edge in edges}) == len(edges)


RUNS = PairState(TI.RUNNING, T.RUNNING)
AHEAD = RUNS._replace(not_yet_due=True)
OTHER, RESTART = Sender.OTHER, Sender.RESTART


def at(statuses: str, **seen: Any) -> PairState:
    """An instance and its task, by their letters, and what else is seen of them."""
    return PairState(TI(statuses[0]), T(statuses[1]), **seen)


E, F, U, Z = TI.ERROR, TI.ERROR_FATAL, TI.UNKNOWN_ERROR, TI.RESOURCE_ERROR
FENCED, OTHER_JOB, INVALID = RefusalKind.FENCED, RefusalKind.OTHER_JOB, RefusalKind.INVALID
CONSEQUENCES: dict[str, tuple[ReportRule, PairState, str | RefusalKind]] = {
    "a finished command finishes its task": (FINISH, RUNS, "DD"),
    "a failed command lets its task try again": (failure_of_worker(E), RUNS, "EG"),
    "the last attempt's failure fails the task": (failure_of_worker(E), at("RR", attempts_left=False), "EF"),
    "out of resources adjusts them": (failure_of_worker(Z), RUNS, "ZA"),
    "a killed command is fatal with attempts left": (failure_of_worker(F), at("KR"), "FF"),
    "a second worker is fenced while triage asks and the first has just reported": (
        START,
        at("TR", not_yet_due=True, sender=OTHER),
        FENCED,
    ),
    "a second worker takes over from one that triage asks for in vain": (START, at("TR", overdue=True), "R."),
    "a worker that triage gave up for late finishes all the same": (FINISH, at("TR"), "DD"),
    "also where the task had not heard that it runs": (FINISH, at("TO"), "DD"),
    "triage itself cannot pass through running": (failure_known(E), at("TR"), INVALID),
    "a heartbeat brings a late instance back": (RECOVER, at("TR"), "R."),
    "a killed worker that starts is laid to rest": (START, at("KO"), "FF"),
    "a worker that starts after it was given up fails": (START, at("XO"), "EG"),
    "the worker node may start before the distributor says so": (START, at("II"), "RR"),
    "a second worker is fenced while the first is expected": (START, AHEAD._replace(sender=OTHER), FENCED),
    "the same worker asks again": (START, AHEAD, "R."),
    "so does an earlier attempt's": (START, AHEAD._replace(superseded=True), "R."),
    "equal claims at once come from rivals": (START, AHEAD._replace(just_claimed=True), FENCED),
    "a job that the cluster starts again takes over": (START, AHEAD._replace(sender=RESTART), "R."),
    "a job that was started twice at once does not": (
        START,
        AHEAD._replace(sender=RESTART, just_claimed=True),
        FENCED,
    ),
    "nor one of an earlier attempt": (START, AHEAD._replace(sender=RESTART, superseded=True), FENCED),
    "a job that is started again is back from triage": (START, at("TR", not_yet_due=True, sender=RESTART), "R."),
    "a second worker takes over from a silent one": (START, at("RR", overdue=True, sender=OTHER), "R."),
    "nobody runs what another worker has ended": (START, at("DD", sender=RESTART), FENCED),
    "an overtaken worker does not finish it": (FINISH, at("RR", sender=OTHER), FENCED),
    "an overtaken worker does not fail it": (failure_of_worker(F), at("KR", sender=OTHER), FENCED),
    "an overtaken worker does not bring it back": (RECOVER, at("TR", sender=OTHER), FENCED),
    "triage of another job does not end it": (failure_known(Z), at("TR", sender=OTHER), OTHER_JOB),
    "a distributor may submit it as another job": (LAUNCH, at("II", sender=OTHER), "OO"),
    "but not rename what has ended": (LAUNCH, at("DD", sender=OTHER), OTHER_JOB),
    "an orphan is laid to rest": (failure_of_worker(E), at("RD"), "F."),
    "a heartbeat beats triage": (failure_unknown(U), at("TR", not_yet_due=True), RefusalKind.REPORTED_MEANWHILE),
    "silence does not": (failure_unknown(U), at("TR", overdue=True), "UG"),
    "a finished instance has nothing to launch": (LAUNCH, at("DD"), RefusalKind.SETTLED),
    "a running one was quicker than its launch": (LAUNCH, RUNS, RefusalKind.UNTIMELY),
    "no distributor id lets the task try again": (LAUNCH_FAILED, at("II"), "WG"),
    "a dead instance is not taken again": (INSTANTIATE, at("EQ"), INVALID),
    "a kill takes the task along": (KILLED, at("KI"), "FF"),
    "or leaves it where a resume put it": (KILLED, at("KG"), "F."),
    "only what was told to die is killed": (KILLED, RUNS, INVALID),
    "an attempt that was left behind finishes alone": (FINISH, at("RR", superseded=True), "D."),
    "it fails alone": (failure_of_worker(E), at("RR", superseded=True), "E."),
    "it is killed alone": (START, at("KR", superseded=True), "F."),
    "it does not start beside the later one": (START, at("OO", superseded=True), RefusalKind.TASK_CANNOT_FOLLOW),
    "nobody takes it over": (START, at("RR", overdue=True, superseded=True), FENCED),
    "it does not come back from triage": (RECOVER, at("TR", superseded=True), RefusalKind.TASK_CANNOT_FOLLOW),
    "it is not taken again": (INSTANTIATE, at("II", superseded=True), INVALID),
}


@pytest.mark.parametrize("sentence", CONSEQUENCES)
def test_consequence(sentence: str) -> None:
    report, state, wanted = CONSEQUENCES[sentence]
    ruling = rule_on(report, state)
    assert (ruling.task_instance + (ruling.task or ".") if isinstance(ruling, Move) else ruling.kind) == wanted


@pytest.mark.parametrize("report", [START, FINISH, RECOVER, failure_of_worker(TI.ERROR)], ids=lambda rule: rule.name)
def test_a_fenced_worker_hears_kill_self_until_the_instance_has_ended(report: ReportRule) -> None:
    state = AHEAD._replace(sender=OTHER)
    assert status_told(rule_on(report, state), state) is TI.KILL_SELF
    ended = PairState(TI.ERROR, T.REGISTERING, sender=OTHER)
    assert status_told(rule_on(report, ended), ended) is TI.ERROR


REPORTS = [
    FINISH,
    INSTANTIATE,
    KILLED,
    LAUNCH,
    LAUNCH_FAILED,
    RECOVER,
    START,
    *(
        make(state)
        for make in (failure_of_worker, failure_known, failure_unknown)
        for state in (TI.ERROR, TI.UNKNOWN_ERROR, TI.RESOURCE_ERROR, TI.ERROR_FATAL)
    ),
    FELL_SILENT,
    NEVER_REPORTED,
    *ABANDONED.values(),
    *(terminate(seen, hot=hot) for hot in (True, False) for seen in stopped_by_resume(hot=hot)),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{report.name} {report.target.name}")
def test_a_guard_gives_its_ruling_throughout(report: ReportRule, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a write's conditions let through is never ruled on otherwise."""
    both = (True, False)
    ruled = cache(partial(rule_on, report))
    monkeypatch.setattr(guards, "rule_on", lambda _, state: ruled(state))
    held: set[tuple[Guard, _Seen, Ruling]] = set()
    for instance, task, left, due, who, just, later in product(TI, T, both, "-oe", Sender, both, both):
        state = PairState(instance, task, left, due == "o", due == "e", who, just, later)
        ruling, guard = decide(report, state)
        assert ruling == ruled(state)
        assert instance in guard.task_instance
        assert (
            not isinstance(ruling, Move)
            or guard.task_instance == {ruling.task_instance}
            or ruling.task_instance not in guard.task_instance
        )
        assert guard.task is None or task in guard.task
        if isinstance(ruling, Refusal) and ruling.kind in RESTS_ON_WHAT_WAS_SEEN:
            continue
        seen = _Seen(state.sender, state.just_claimed, state.not_yet_due)
        if (guard, seen, ruling) in held:
            continue
        for other in _states(guard, seen):
            assert ruled(other) == ruling, (state, other)
        held.add((guard, seen, ruling))


RESTS_ON_WHAT_WAS_SEEN = {
    RefusalKind.FENCED,
    RefusalKind.OTHER_JOB,
    RefusalKind.REPEATED,
    RefusalKind.REPORTED_MEANWHILE,
}
"""Of the deadline or the names: nothing is stored under these refusals, or only what the report says of itself."""


class _Seen(NamedTuple):
    """What a guard leaves as it was seen."""

    sender: Sender
    just_claimed: bool
    not_yet_due: bool


def _states(guard: Guard, seen: _Seen) -> Iterator[PairState]:
    """All those that a guard lets through.

    Who reports stays as it was seen, or is held by the guard. So does the deadline of a claim that lay ahead: the claim
    is the one that was seen, and a deadline that passes meanwhile changes nothing for its holder.
    """
    lefts = (True, False) if guard.attempts_left is None else (guard.attempts_left,)
    laters = (True, False) if guard.superseded is None else (guard.superseded,)
    dues = [due for due in "-oe" if (not guard.overdue or due == "o") and (guard.not_yet_due is None or due != "e")]
    if guard.same_claim and seen.not_yet_due:
        dues = ["e"]
    for instance, task, left, due, later in product(guard.task_instance, guard.task or T, lefts, dues, laters):
        yield PairState(instance, task, left, due == "o", due == "e", seen.sender, seen.just_claimed, later)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: f"{report.name} {report.target.name}")
def test_what_was_seen_once_says_where_an_instance_can_be(report: ReportRule) -> None:
    """portions.py passes over an instance that cannot be where it looks for one, and for good one that has ended."""
    for instance, task, left in product(TI, T, (True, False)):
        ruling = rule_on(report, PairState(instance, task, left, overdue=True))
        if isinstance(ruling, Move):
            assert may_become(instance, ruling.task_instance)
            assert not has_ended(instance)


def test_the_usual_state_lets_each_report_move() -> None:
    for report in REPORTS:
        assert isinstance(rule_on(report, report.assumed), Move), report.name


def test_a_done_task_stays_done() -> None:
    """What searches for tasks that are not done passes a done one once: workflow/left.py."""
    assert not [move for move in TASK_MOVES if move.startswith(TaskStatus.DONE)]
    assert not any(is_reset_by_binding(TaskStatus.DONE, reset_if_running=running) for running in (False, True))
