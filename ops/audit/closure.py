"""How an instance and its task may stand at all: everything that the state machine, binding and queueing lead to.

Nothing is listed here. The sets are what is reached from a task that has just been bound, by every report there is
under every circumstance, by binding it again and by queueing it.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from lockstep.fsm import reports
from lockstep.fsm.pair_state import PairState
from lockstep.fsm.reports import ReportRule, rule
from lockstep.fsm.statuses import ERROR_STATES, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, is_reset_by_binding, may_queue

TI = TaskInstanceStatus
T = TaskStatus


class Pair(NamedTuple):
    """An instance, its task, and whether the task has attempts left. None: it has had no instance yet."""

    task_instance: TaskInstanceStatus | None
    task: TaskStatus
    attempts_left: bool


class Reachable(NamedTuple):
    """The pairs that there can be."""

    only: frozenset[Pair]
    """Of a task that has had one instance at most."""
    newest: frozenset[Pair]
    """Of the last instance of a task that has had several."""
    older: frozenset[Pair]
    """Of any earlier one."""


def _reports() -> Iterator[ReportRule]:
    """Every report that any route makes."""
    yield from (value for value in vars(reports).values() if isinstance(value, ReportRule))
    yield from reports.ABANDONED.values()
    for error_state in (*sorted(ERROR_STATES), TI.ERROR_FATAL):
        for make in (reports.failure_of_worker, reports.failure_known, reports.failure_unknown):
            yield make(error_state)
    for hot in (False, True):
        for seen in sorted(reports.stopped_by_resume(hot=hot)):
            yield reports.terminate(seen, hot=hot)


REPORTS: Final = tuple(_reports())

_CIRCUMSTANCES: Final = tuple(product((False, True), repeat=3))
"""Overdue or not, expected or not, by the same worker or another one."""


@cache
def reachable(*, rebound: bool) -> Reachable:
    """All of them, of tasks that were bound once or that were bound again.

    A task goes with its last instance: earlier ones move alone, and find it wherever that one has taken it.
    """
    bound = frozenset(Pair(None, T.REGISTERING, left) for left in (False, True))
    only = bound | _queued(bound)
    while (more := only | _stepped(only, rebound=rebound)) != only:
        only = more
    newest = _queued(only)
    older = _left_behind(pair for pair in only if pair.task_instance)
    before: tuple[frozenset[Pair], frozenset[Pair]] | None = None
    while before != (newest, older):
        before = newest, older
        older |= _ended_alone(older) | _dragged(older, _steps_of_tasks(newest, rebound=rebound))
        older |= _left_behind(newest | older)
        newest |= _stepped(newest, rebound=rebound) | _queued(newest)
    return Reachable(only, newest, older)


def _stepped(pairs: Iterable[Pair], *, rebound: bool) -> frozenset[Pair]:
    """Where each may be after one report about its instance, or after its task is bound again."""
    return frozenset(after for pair in pairs for after in steps(pair, rebound=rebound))


@cache
def steps(pair: Pair, *, rebound: bool) -> frozenset[Pair]:
    """Where an only or last instance and its task may be after one report; or after the task is bound again."""
    return frozenset((*_after_reports(pair, superseded=False), *(_after_binding(pair) if rebound else ())))


def _ended_alone(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """Where each may be after one report about its instance, which has been superseded."""
    return frozenset(after for pair in pairs for after in _after_reports(pair, superseded=True))


@cache
def _after_reports(pair: Pair, *, superseded: bool) -> tuple[Pair, ...]:
    return tuple(_ruled(pair, superseded=superseded))


def _ruled(pair: Pair, *, superseded: bool) -> Iterator[Pair]:
    if pair.task_instance is None:
        return
    stands = PairState(pair.task_instance, pair.task, pair.attempts_left, superseded=superseded)
    for report, (overdue, not_yet_due, same_worker) in product(REPORTS, _CIRCUMSTANCES):
        state = stands._replace(overdue=overdue, not_yet_due=not_yet_due, same_worker=same_worker)
        ruling = rule(report, state)
        if isinstance(ruling, Move):
            yield Pair(ruling.task_instance, ruling.task or pair.task, pair.attempts_left)


def _after_binding(pair: Pair) -> Iterator[Pair]:
    if any(is_reset_by_binding(pair.task, reset_if_running=reset) for reset in (False, True)):
        yield from (pair._replace(task=T.REGISTERING, attempts_left=left) for left in (False, True))


def _queued(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The next instance of each task that may have one."""
    return frozenset(Pair(TI.QUEUED, T.QUEUED, left) for pair in pairs for left in _left_after_queueing(pair))


def _left_behind(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The instances that there are when the task gets its next one."""
    return frozenset(Pair(pair.task_instance, T.QUEUED, left) for pair in pairs for left in _left_after_queueing(pair))


def _left_after_queueing(pair: Pair) -> Iterator[bool]:
    """It counts one attempt more."""
    if may_queue(pair.task):
        yield from {False, pair.attempts_left}


_TaskStep = tuple[tuple[TaskStatus, bool], tuple[TaskStatus, bool]]


def _steps_of_tasks(pairs: Iterable[Pair], *, rebound: bool) -> frozenset[_TaskStep]:
    return frozenset(
        ((pair.task, pair.attempts_left), (after.task, after.attempts_left))
        for pair in pairs
        for after in steps(pair, rebound=rebound)
    )


def _dragged(pairs: Iterable[Pair], steps: Iterable[_TaskStep]) -> frozenset[Pair]:
    """Each with its task moved by its last instance, or bound again."""
    return frozenset(
        Pair(pair.task_instance, *after)
        for pair in pairs
        for before, after in steps
        if before == (pair.task, pair.attempts_left)
    )
