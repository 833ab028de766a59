"""The meter counts what AWS bills, where the embedded engine reports other units, or none."""

from typing import Any

import pytest

from local.item_size import item_size
from local.meter import READ_UNITS, written_units
from lockstep.dynamodb.item import Item
from lockstep.task_instance.item import array_step_key

KEY = {"pk": {"S": "TASK#1"}, "sk": {"S": "TI#001"}}
LARGE = KEY | {"stdout_log": {"S": "x" * 60_000}}
TABLE = Item.Meta.table_name


def entries(count: int) -> list[dict[str, Any]]:
    """Entries of the index array-step."""
    return [
        {
            "pk": {"S": f"TASK#{1_000_000 + step}"},
            "sk": {"S": "TI#001"},
            "array_step": {"S": array_step_key(42, 7, step)},
            "array_step_id": {"N": str(step)},
        }
        for step in range(count)
    ]


@pytest.mark.parametrize(
    ("found", "consistent", "units"),
    [
        ([], False, 0.5),
        ([KEY], False, 0.5),
        (entries(100), False, 1.0),
        ([LARGE, KEY], True, 15),
        ([LARGE], False, 7.5),
    ],
)
def test_a_query_costs_by_the_sum_of_what_it_reads(found: list[Any], consistent: Any, units: float) -> None:
    assert READ_UNITS["Query"]({"ConsistentRead": consistent}, {"Items": found}) == units


def test_a_transaction_that_reads_costs_two_for_each_4_kb_of_each_item_and_two_for_a_missing_one() -> None:
    assert READ_UNITS["TransactGetItems"]({}, {"Responses": [{"Item": LARGE}, {}]}) == 2 * 15 + 2
    assert READ_UNITS["TransactGetItems"]({}, {"Responses": [{"Item": KEY}, {"Item": KEY}]}) == 2 + 2


def test_a_batch_read_costs_by_each_item_and_nothing_for_a_key_that_is_left_unread() -> None:
    asked = {"RequestItems": {TABLE: {"Keys": [KEY] * 4, "ConsistentRead": True}}}
    reply = {"Responses": {TABLE: [LARGE, KEY]}, "UnprocessedKeys": {TABLE: {"Keys": [KEY]}}}
    assert READ_UNITS["BatchGetItem"](asked, reply) == 15 + 1 + 1


def test_a_write_that_is_rejected_costs_too() -> None:
    """A cancelled transaction is counted as one that landed: AWS states no amount, and bills no more than that."""
    asked: dict[str, Any] = {"TransactItems": [{}] * 3}
    assert written_units(asked, {"Error": {"Code": "TransactionCanceledException"}}) == 6
    assert written_units({}, {"Error": {"Code": "ConditionalCheckFailedException"}}) == 1
    assert written_units({}, {"Error": {"Code": "ThrottlingException"}}) == 0
    assert written_units(asked, {"ConsumedCapacity": [{"CapacityUnits": 6.0}]}) == 6


def test_an_items_size_is_that_of_its_names_and_values() -> None:
    item: dict[str, Any] = {
        "pk": {"S": "é"},
        "n": {"N": "-1700000000.5"},
        "m": {"M": {"a": {"L": [{"BOOL": True}, {"NULL": True}]}}},
    }
    assert item_size(item) == (2 + 2) + (1 + 5 + 1 + 1 + 1) + (1 + 3 + (1 + 1 + (3 + 2 + 2)))
