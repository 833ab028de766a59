"""Items that are put together: in as few requests as hold them.

That all are written or the call fails is shown by the faults that leave items unwritten (tests/verification/faults).
"""

from typing import Any

import pytest

from lockstep.context import request
from lockstep.dag.item import EdgePart
from lockstep.dynamodb.puts import BYTES_PER_WRITE, ITEMS_PER_WRITE, put_many
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
