"""No request that can be made of docs/openapi.json gets a 5xx or a reply that the document does not describe."""

import pytest

from tests.support import described
from tests.verification.fuzz.fuzzing import Operation, Tally, fuzz, name_of, operations
from tests.verification.fuzz.system import System

EXAMPLES = 8
"""Of each kind; `make fuzz` sends more, and others each time."""
OPERATIONS = [pytest.param(operation, id=name_of(operation)) for operation in operations()]


def test_nothing_that_is_described_is_left_out() -> None:
    assert {name_of(operation) for operation in operations()} == described.OPERATIONS.keys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_replies_are_as_described(system: System, operation: Operation) -> None:
    tally = Tally()
    fuzz(operation, system, EXAMPLES, tally)
    assert tally.requests >= 2 * EXAMPLES
    assert 200 in tally.of(name_of(operation)), "what is there was not hit"
