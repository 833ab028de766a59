"""Every recorded request of Jobmon's whole client that Lockstep serves: as Jobmon did it, or as a departure says."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.client import Case, ClientPlayer, Names, read_all, read_cases, route_of
from tests.conformance.client_departures import Expected, expected, expected_afterwards, expected_before
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
        assert differs(names, expected_before(case, request), player.send(request, names)) is None, request["path"]
    before = player.memory.items
    answer = expected(case)
    assert differs(names, answer, player.send(case["request"], names)) is None, f"departure {answer.departure}"
    if answer.status >= 400:
        assert player.memory.items == before
    else:
        for request in filter(route_of, case.get("after", ())):
            shown = expected_afterwards(case, request)
            answered = player.send(request, names)
            assert differs(names, shown, answered) is None, f"{request['path']}, departure {shown.departure}"
    assert not names.shared(), names.ids


def differs(names: Names, answer: Expected, answered: tuple[int, Any]) -> str | None:
    """Where a reply differs from what is expected. Of an error where both agree, the words are not compared."""
    status, reply = answered
    if status != answer.status:
        return f"status {status}, not {answer.status}: {reply}"
    if status < 400:
        return names.differs(answer.reply, reply)
    if answer.departure is None:
        return None
    return names.differs(
        answer.reply, [each["field"] for each in reply["errors"]] if status == 422 else reply["detail"]
    )


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
    shown = (expected_afterwards(case, request).departure for request in filter(route_of, case.get("after", ())))
    return expected(case).departure or next(filter(None, shown), None)
