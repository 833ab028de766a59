"""How often a call of DynamoDB is tried again. tests/verification/faults shows when, and after which replies."""

from typing import Any

import pytest

from lockstep.context import request
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.reads import fetch
from lockstep.errors import TableError
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import answered_by
from tests.support.memory.operations import Reply


def test_however_often_calls_failed_one_more_is_tried_twice() -> None:
    sent = 0

    def answering(_: str, __: dict[str, Any]) -> Reply:
        nonlocal sent
        sent += 1
        return Reply(500, {}, raw=b"no JSON")

    with running_on(VirtualTime()) as clock, answered_by(answering), request():
        for _ in range(60):
            with pytest.raises(TableError):
                fetch([Key("TASK#42", "TASK")], consistent=True)
    assert sent == 120
    assert clock.passed < 60
