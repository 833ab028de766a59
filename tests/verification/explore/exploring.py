"""Requests that meet: every pair at a start, and any three."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations_with_replacement, product
from typing import Any, Final, NamedTuple

from tests.support.memory.virtual_time import START
from tests.verification.explore.agreement import UNAVAILABLE, disagreements
from tests.verification.explore.courses import Course, Courses, Request, courses
from tests.verification.explore.reports import ALL, EARLIER, LATER_ATTEMPT, REPORTS
from tests.verification.explore.runs import ABOUT_WORKFLOW, RunStart
from tests.verification.explore.schedules import End, State, States, explore, serially
from tests.verification.explore.starts import Start


class Found(NamedTuple):
    """What exploring came to."""

    meetings: int
    """Of requests."""
    schedules: int
    """Orders of their calls."""
    disagreements: tuple[str, ...]
    """In words."""


def afresh(explored: Callable[..., Found], start: Start | RunStart, **how: Any) -> Found:
    """Where nothing is known yet."""
    with courses() as known:
        return explored(known, States(), start, **how)


def pairs_of(known: Courses, states: States, start: Start, *, skew: float = 0.0, lag: bool = False) -> Found:
    """Every report meets every other one, and itself. With skew, the other's clock is seconds ahead, in turn."""
    meetings = [*combinations_with_replacement(REPORTS, 2)]
    if start.later:
        meetings = [*product(EARLIER, LATER_ATTEMPT)]
    elif skew:
        meetings = [*product(REPORTS, REPORTS)]
    state = states.state(start.table())
    found = [meet(known, state, ALL[one], ALL[other]._replace(skew=skew), lag=lag) for one, other in meetings]
    return _found(start.name, meetings, found)


def workflow_pairs_of(known: Courses, states: States, start: RunStart) -> Found:
    """Every request about a workflow meets every other one, and itself.

    Who ends a run for a resume stops what it has started, and then links another, starts tasks over, or counts. Where
    another request comes in between and hears of a run that ends, only the invariants must hold.
    A link ends a late run, and then links; a resume ends it, and then notes itself. The other may come between: then
    all is as if somebody had asked before, or the resume had been repeated.
    """
    state = states.state(start.table())
    meetings = [*combinations_with_replacement(ABOUT_WORKFLOW, 2)]
    found = [
        meet(
            known,
            state,
            *(ABOUT_WORKFLOW[name] for name in meeting),
            in_two_steps=start.in_two_steps(*meeting),
            steps=[ABOUT_WORKFLOW[name] for name in start.steps({*meeting})],
        )
        for meeting in meetings
    ]
    return _found(start.name, meetings, found)


def _found(name: str, meetings: Sequence[tuple[str, str]], found: Sequence[Found]) -> Found:
    told = [
        f"{name}: {one} meets {other}: {disagreement}"
        for (one, other), each in zip(meetings, found, strict=True)
        for disagreement in each.disagreements
    ]
    return Found(len(meetings), sum(each.schedules for each in found), tuple(told))


def meet(
    known: Courses,
    state: State,
    *requests: Request,
    lag: bool = False,
    in_two_steps: bool = False,
    steps: Iterable[Request] = (),
) -> Found:
    """Requests that come at the same time.

    lag: their reads may lag behind. in_two_steps: one may come between another's two steps; the invariants hold.
    steps: requests that do a step of these; it may lead where one of them leads that is served as well.
    """
    started = [known.start(request) for request in requests]
    explored = explore(state, *started, lag=lag)
    latest = START + max(0.0, *(request.skew for request in requests))
    right = explored.ends if in_two_steps else _right(state, started, lag=lag)
    right |= {
        End(end.table, end.replies[: len(started)])
        for step in steps
        for end in serially(state, *started, known.start(step))
    }
    return Found(1, explored.schedules, tuple(disagreements(explored, right, latest, lag=lag)))


def _right(state: State, started: Sequence[Course], *, lag: bool) -> frozenset[End]:
    """Where some order of the requests leads.

    Where clocks differ, what moved under a sweep's eyes may already be late by the sweep's own clock; where reads lag,
    it may not have seen it. Either is left to the next sweep, as if this one had not come. A call that is answered
    503 because an index lags has done what it does, or nothing.
    """
    one_by_one = serially(state, *started)
    right = one_by_one | (_unanswered(one_by_one) if lag else frozenset())
    skewed = any(course.request.skew for course in started)
    for turn, course in enumerate(started):
        sweeps = course.request.path.endswith(SWEEP)
        if lag or (skewed and sweeps):
            rest = serially(state, *started[:turn], *started[turn + 1 :])
            left = [SWEPT] * sweeps + [UNAVAILABLE] * lag
            right |= {
                End(end.table, (*end.replies[:turn], reply, *end.replies[turn:])) for end in rest for reply in left
            }
    return right


def _unanswered(ends: Iterable[End]) -> frozenset[End]:
    """The same, but that any one of the calls is answered 503 in the end."""
    return frozenset(
        End(end.table, (*end.replies[:turn], UNAVAILABLE, *end.replies[turn + 1 :]))
        for end in ends
        for turn in range(len(end.replies))
    )


SWEEP: Final = "/set_status_for_triaging"
SWEPT: Final = (200, "{}")
