"""Items that are put together: all are written, or the call fails."""

from collections.abc import Callable
from typing import Any

import pytest

from lockstep.context import request
from lockstep.dag.item import EdgePart
from lockstep.dynamodb.puts import BYTES_PER_WRITE, ITEMS_PER_WRITE, put_many
from lockstep.errors import TableError
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply
from tests.support.memory.virtual_time import VirtualTime, running_on

Puts = list[dict[str, Any]]


class Sometimes:
    """A table that leaves some items of each request unwritten."""

    def __init__(self, leave: Callable[[Puts], Puts]) -> None:
        self.memory = Memory()
        self.sizes: list[int] = []
        """The number of items of each request."""
        self._leave = leave

    def answer(self, operation: str, asked: dict[str, Any]) -> Reply:
        [(table, puts)] = asked["RequestItems"].items()
        self.sizes.append(len(puts))
        left = self._leave(puts)
        if taken := [put for put in puts if put not in left]:
            self.memory.answer(operation, {**asked, "RequestItems": {table: taken}})
        return Reply(200, {"UnprocessedItems": {table: left} if left else {}})


def parts(count: int, size: int = 8) -> list[EdgePart]:
    return [EdgePart(*EdgePart.key(1, number, "UP", 0), node_ids=bytes(size)) for number in range(1, count + 1)]


def put(items: list[EdgePart], leave: Callable[[Puts], Puts] = lambda _: []) -> Sometimes:
    table = Sometimes(leave)
    with answered_by(table.answer), running_on(VirtualTime()), request():
        put_many(items)
    assert table.memory.items.keys() == {(item.pk, item.sk) for item in items}
    return table


@pytest.mark.parametrize("count", [0, 1, 25, 26, 300])
def test_a_request_has_25_items_at_most(count: int) -> None:
    sizes = put(parts(count)).sizes
    assert (sum(sizes), len(sizes)) == (count, -(-count // ITEMS_PER_WRITE))


def test_and_two_megabytes_at_most() -> None:
    size = 376_000
    sizes = put(parts(60, size)).sizes
    assert sizes == [BYTES_PER_WRITE // size] * 12


@pytest.mark.parametrize(
    "leave", [lambda puts: puts[1:], lambda puts: puts[:-1]], ids=["all but one", "all but the last"]
)
def test_what_dynamodb_leaves_is_sent_again_until_nothing_is_left(leave: Callable[[Puts], Puts]) -> None:
    assert sorted(put(parts(10), leave).sizes) == list(range(1, 11))


def test_what_is_left_at_the_deadline_is_no_success() -> None:
    table = Sometimes(lambda puts: puts[:1])
    with (
        answered_by(table.answer),
        running_on(VirtualTime()),
        request(),
        pytest.raises(TableError, match="send the same request again"),
    ):
        put_many(parts(3))
    assert len(table.memory.items) == 2
