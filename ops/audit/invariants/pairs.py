"""The pairs of statuses that an instance and its task can reach by reports, by binding and by queueing.

The sets are computed, not listed: they start with a task that was just bound, and grow by every report under all
circumstances, by binding the task again and by queueing it, until nothing new is reached.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from lockstep.fsm import reports
from lockstep.fsm.reports import ReportRule, rule_on
from lockstep.fsm.statuses import ERROR_STATES, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, PairState, Sender, is_reset_by_binding, may_queue

TI = TaskInstanceStatus
BOTH: Final = (False, True)


class Pair(NamedTuple):
    """The statuses of an instance and its task, and whether the task has attempts left."""

    task_instance: TaskInstanceStatus | None
    """None: the task has no instance yet."""
    task: TaskStatus
    attempts_left: bool


class Reachable(NamedTuple):
    """The pairs that can be reached."""

    only: frozenset[Pair]
    """By the only instance of a task, or by a task without one."""
    latest: frozenset[Pair]
    """By the latest of several instances."""
    earlier: frozenset[Pair]
    """By an earlier one."""


def _reports() -> Iterator[ReportRule]:
    """Every report that any route makes."""
    yield from (value for value in vars(reports).values() if isinstance(value, ReportRule))
    yield from reports.ABANDONED.values()
    for error_state in (*sorted(ERROR_STATES), TI.ERROR_FATAL):
        for make in (reports.failure_of_worker, reports.failure_known, reports.failure_unknown):
            yield make(error_state)
    for hot in BOTH:
        for seen in sorted(reports.stopped_by_resume(hot=hot)):
            yield reports.terminate(seen, hot=hot)


REPORTS: Final = tuple(_reports())


@cache
def reachable(*, rebound: bool) -> Reachable:
    """The pairs that can be reached by tasks that were bound once, or by tasks that were bound again.

    A task moves with its latest instance. An earlier instance moves alone, while the latest one moves the task.
    """

    def after(pairs: Iterable[Pair]) -> frozenset[Pair]:
        return frozenset(then for pair in pairs for then in steps(pair, rebound=rebound))

    bound = frozenset(Pair(None, TaskStatus.REGISTERING, left) for left in BOTH)
    only = _grown(bound, lambda pairs: after(pairs) | _queued(bound))
    latest = _grown(_queued(only), lambda pairs: after(pairs) | _queued(pairs))
    moves = {
        ((pair.task, pair.attempts_left), (then.task, then.attempts_left))
        for pair in latest
        for then in steps(pair, rebound=rebound)
    }

    def after_alone(pairs: Iterable[Pair]) -> frozenset[Pair]:
        alone = {then for pair in pairs for then in _after_reports(pair, superseded=True)}
        with_task = {
            Pair(pair.task_instance, *now)
            for pair in pairs
            for was, now in moves
            if was == (pair.task, pair.attempts_left)
        }
        return frozenset(alone | with_task | _superseded(pairs))

    begun = _superseded(pair for pair in only | latest if pair.task_instance)
    return Reachable(only, latest, _grown(begun, after_alone))


def _grown(pairs: frozenset[Pair], further: Callable[[frozenset[Pair]], frozenset[Pair]]) -> frozenset[Pair]:
    """The pairs and all that follow from them."""
    while (more := pairs | further(pairs)) != pairs:
        pairs = more
    return pairs


@cache
def steps(pair: Pair, *, rebound: bool) -> frozenset[Pair]:
    """The pairs that an only or latest instance and its task can reach by one report, or by binding the task again."""
    return frozenset((*_after_reports(pair, superseded=False), *(_after_binding(pair) if rebound else ())))


@cache
def _after_reports(pair: Pair, *, superseded: bool) -> tuple[Pair, ...]:
    if pair.task_instance is None:
        return ()
    state = PairState(pair.task_instance, pair.task, pair.attempts_left, superseded=superseded)
    rulings = (
        rule_on(report, state._replace(overdue=overdue, not_yet_due=not_yet_due, sender=sender))
        for report, overdue, not_yet_due, sender in product(REPORTS, BOTH, BOTH, Sender)
    )
    return tuple(
        Pair(ruling.task_instance, ruling.task or pair.task, pair.attempts_left)
        for ruling in rulings
        if isinstance(ruling, Move)
    )


def _after_binding(pair: Pair) -> Iterator[Pair]:
    if any(is_reset_by_binding(pair.task, reset_if_running=reset) for reset in BOTH):
        yield from (pair._replace(task=TaskStatus.REGISTERING, attempts_left=left) for left in BOTH)
    if pair.task is TaskStatus.ERROR_FATAL and pair.task_instance is TI.RESOURCE_ERROR:
        yield pair._replace(task=TaskStatus.ERROR_RECOVERABLE)


def _queued(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The next instances of the tasks that may be queued."""
    return frozenset(pair._replace(task_instance=TI.QUEUED) for pair in _superseded(pairs))


def _superseded(pairs: Iterable[Pair]) -> frozenset[Pair]:
    """The pairs whose tasks may be queued, after that: queueing counts one attempt more."""
    return frozenset(
        Pair(pair.task_instance, TaskStatus.QUEUED, left)
        for pair in pairs
        if may_queue(pair.task)
        for left in {False, pair.attempts_left}
    )
