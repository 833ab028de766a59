"""No request that can be made of docs/openapi.json gets a 5xx or a reply that the document does not describe."""

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from tests.support import described
from tests.verification.fuzz.fuzzing import Case, Operation, Reply, Tally, fuzz, name_of, operations
from tests.verification.fuzz.system import System, fuzzed

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


@pytest.fixture(scope="module")
def guarded_system() -> Iterator[System]:
    with fuzzed("--auth", "on") as system:
        yield system


NO_TOKENS = st.one_of(
    st.none(),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"]), min_size=1).map(
        lambda text: f"Bearer {text}"
    ),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=1).map(
        lambda text: f"Basic {text}"
    ),
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"])),
)


@pytest.mark.parametrize("operation", OPERATIONS[::6])
def test_whoever_has_no_token_is_told_so(guarded_system: System, operation: Operation) -> None:
    def check(_: Case, reply: Reply) -> None:
        assert reply.status_code == 401, reply.text

    tally = Tally()
    fuzz(operation, guarded_system, EXAMPLES, tally, check=check, authorization=NO_TOKENS)
    assert tally.of(name_of(operation)).keys() == {401}
