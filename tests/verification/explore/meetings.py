"""Three reports that come at the same time, about one instance of a task or about two of them."""

from typing import Final, NamedTuple

from hypothesis import strategies as st

from lockstep.fsm.statuses import TaskInstanceStatus
from tests.verification.explore.courses import Request
from tests.verification.explore.reports import ALL, REPORTS
from tests.verification.explore.starts import STARTS, Start

REPORTS_AT_ONCE: Final = 3
SKEW_SECONDS: Final = 400.0
"""That functions' clocks may be off: more than a heartbeat is given."""
SKEWS: Final = (0.0, -SKEW_SECONDS, SKEW_SECONDS)


class Meeting(NamedTuple):
    """A start, and what comes then."""

    start: Start
    requests: tuple[Request, ...]


def _at(start: Start) -> st.SearchStrategy[Meeting]:
    reports = st.sampled_from([*(ALL if start.later else REPORTS).values()])
    skewed = st.builds(lambda report, skew: report._replace(skew=skew), reports, st.sampled_from(SKEWS))
    return st.tuples(*[skewed] * REPORTS_AT_ONCE).map(lambda requests: Meeting(start, requests))


STARTS_OF_TWO: Final = st.builds(
    lambda start, later: start._replace(later=later),
    st.sampled_from(STARTS),
    st.sampled_from([None, *TaskInstanceStatus]),
)
MEETINGS: Final = STARTS_OF_TWO.flatmap(_at)
