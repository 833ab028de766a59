"""Items that are put together: in as few requests as hold them, and all of them, or the call fails.

That what DynamoDB leaves is sent again, the faults show that leave items unwritten (tests/verification/faults).
"""

from typing import Any

import pytest

from lockstep.context import request
from lockstep.dag.item import EdgePart
from lockstep.dynamodb.puts import BYTES_PER_WRITE, ITEMS_PER_WRITE, put_many
from lockstep.errors import TableError
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply


def put(count: int, size: int = 8) -> list[int]:
    """The number of items of each request."""
    items = [EdgePart(*EdgePart.key(1, number, "UP", 0), node_ids=bytes(size)) for number in range(1, count + 1)]
    memory = Memory()
    sizes: list[int] = []

    def answer(operation: str, asked: dict[str, Any]) -> Reply:
        sizes.extend(map(len, asked["RequestItems"].values()))
        return memory.answer(operation, asked)

    with answered_by(answer), request():
        put_many(items)
    assert memory.items.keys() == {(item.pk, item.sk) for item in items}
    return sizes


@pytest.mark.parametrize("count", [0, 1, 25, 26, 300])
def test_a_request_has_25_items_at_most(count: int) -> None:
    sizes = put(count)
    assert (sum(sizes), len(sizes)) == (count, -(-count // ITEMS_PER_WRITE))


def test_and_two_megabytes_at_most() -> None:
    size = 376_000
    assert put(60, size) == [BYTES_PER_WRITE // size] * 12


def test_what_is_left_at_the_deadline_is_no_success() -> None:
    def leaving(_: str, asked: dict[str, Any]) -> Reply:
        return Reply(200, {"UnprocessedItems": asked["RequestItems"]})

    item = EdgePart(*EdgePart.key(1, 1, "UP", 0), node_ids=b"")
    refused = pytest.raises(TableError, match="send the same request again")
    with answered_by(leaving), running_on(VirtualTime()), request(), refused:
        put_many([item])
