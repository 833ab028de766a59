"""Every recorded request of Jobmon's whole client that Lockstep serves: as Jobmon did it, or as a departure says."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conformance.client import Case, ClientPlayer, read_all, read_cases, route_of
from tests.conformance.client_departures import expected, expected_afterwards
from tests.conformance.recording import Player
from tests.support.memory import VirtualTime, in_memory, running_on

CASES = read_cases()


@pytest.fixture(scope="module")
def player() -> Iterator[ClientPlayer]:
    with in_memory() as memory, running_on(VirtualTime()):
        yield ClientPlayer(memory, Player())


@pytest.mark.parametrize("case", CASES, ids=[case["case_id"] for case in CASES])
def test_as_recorded(player: ClientPlayer, case: Case) -> None:
    names = player.prepare(case["setup"])
    for request in case.get("pre", ()):
        status, reply = player.send(request, names)
        assert status < 500
        names.differs(request.get("response"), reply)  # binds the names of what is new
    before = player.memory.items
    departure, status, reply, field = expected(case)
    answered = player.send(case["request"], names)
    assert answered[0] == status, f"departure {departure}: {answered}"
    if status >= 400:
        assert player.memory.items == before
        assert not field or any(error["field"].startswith(field) for error in answered[1]["errors"]), answered
    elif departure is not None:
        assert names.differs(reply, answered[1]) is None, f"departure {departure}"
    else:
        assert names.differs(reply, answered[1]) is None
        for request in filter(route_of, case.get("after", ())):
            _, shown = expected_afterwards(case, request)
            assert names.differs(shown, player.send(request, names)[1]) is None, request["path"]


def test_what_agrees_and_what_departs() -> None:
    """The figures of docs/conformance.md."""
    assert (len(read_all()), len(CASES)) == (947, 589)
    assert Counter(map(_departure, CASES)) == {
        None: 320,
        "1": 30,
        "2": 159,
        "17": 8,
        "25": 7,
        "26": 3,
        "27": 1,
        "29": 2,
        "30": 4,
        "31": 7,
        "32": 2,
        "33": 24,
        "34": 2,
        "37": 4,
        "38": 7,
        "39": 1,
        "40": 1,
        "41": 1,
        "framework": 6,
    }


def _departure(case: Case) -> str | None:
    shown = (expected_afterwards(case, request)[0] for request in filter(route_of, case.get("after", ())))
    return expected(case).departure or next(filter(None, shown), None)
