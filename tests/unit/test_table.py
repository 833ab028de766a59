"""How long a call of DynamoDB is tried again."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from lockstep.clock import BUDGET_SECONDS, Deadline
from lockstep.errors import TableError
from lockstep.table import reach
from tests.memory import VirtualTime, running_on


@pytest.fixture
def clock() -> Iterator[VirtualTime]:
    with running_on(VirtualTime()) as clock:
        yield clock


def test_no_try_begins_once_the_time_is_up(clock: VirtualTime) -> None:
    began = []

    def throttled() -> None:
        began.append(clock.passed)
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")

    with patch("lockstep.table.random.uniform", lambda _, most: most), pytest.raises(TableError):
        reach(throttled, Deadline())
    assert len(began) > 10
    assert max(began) < BUDGET_SECONDS
