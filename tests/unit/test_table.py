"""How long a call of DynamoDB is tried again, and what is made of a reply that is broken."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from lockstep.clock import BUDGET_SECONDS
from lockstep.context import request
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.reads import fetch
from lockstep.errors import TableError
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import answered_by
from tests.support.memory.operations import Reply, refusal

KEY = Key("TASK#42", "TASK")
WHOLE = b'{"Responses": {"lockstep": []}, "UnprocessedKeys": {}}'


@pytest.fixture
def clock() -> Iterator[VirtualTime]:
    with running_on(VirtualTime()) as clock:
        yield clock


def test_no_try_begins_once_the_time_is_up(clock: VirtualTime) -> None:
    began = []

    def throttled() -> None:
        began.append(clock.passed)
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")

    longest = patch("lockstep.dynamodb.client.random.uniform", lambda _, most: most)
    with longest, request(), pytest.raises(TableError):
        reach(throttled)
    assert len(began) > 10
    assert max(began) < BUDGET_SECONDS


@pytest.mark.parametrize("broken", [1, 2, 50])
def test_a_reply_that_is_broken_on_the_way_is_never_read(clock: VirtualTime, broken: int) -> None:
    left = [Reply(200, {}, raw=WHOLE[:20], headers={"x-amz-crc32": "1"})] * broken

    def answering(_: str, __: dict[str, Any]) -> Reply:
        return left.pop() if left else Reply(200, {}, raw=WHOLE)

    with answered_by(answering), request():
        if broken == 1:
            assert fetch([KEY], consistent=True) == {}
        else:
            with pytest.raises(TableError, match="crc32"):
                fetch([KEY], consistent=True)
    assert clock.passed < 1


def test_a_reply_that_asks_for_a_long_pause_gets_the_usual_one(clock: VirtualTime) -> None:
    left = [refusal("ThrottlingException")._replace(headers={"x-amz-retry-after": "5000"})]

    def answering(_: str, __: dict[str, Any]) -> Reply:
        return left.pop() if left else Reply(200, {}, raw=WHOLE)

    with answered_by(answering), request():
        assert fetch([KEY], consistent=True) == {}
    assert clock.passed < 1


def test_however_often_calls_failed_one_more_is_tried_twice(clock: VirtualTime) -> None:
    sent = 0

    def answering(_: str, __: dict[str, Any]) -> Reply:
        nonlocal sent
        sent += 1
        return Reply(500, {}, raw=b"no JSON")

    with answered_by(answering), request():
        for _ in range(60):
            with pytest.raises(TableError):
                fetch([KEY], consistent=True)
    assert sent == 120
    assert clock.passed < 60
