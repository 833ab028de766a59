"""Every recorded session of Jobmon's programs: each exchange as it was, or as a departure says."""

from collections import Counter

import pytest

from lockstep.routes import BASE_PATH
from tests.conformance.client import ClientPlayer
from tests.conformance.recording import Player
from tests.conformance.session_departures import expected
from tests.conformance.sessions import Session, SessionPlayer, read_sessions
from tests.support.memory.boundary import Memory
from tests.support.memory.virtual_time import VirtualTime, running_on

SESSIONS = read_sessions()


@pytest.fixture(scope="module")
def player(memory: Memory) -> ClientPlayer:
    return ClientPlayer(memory, Player())


@pytest.mark.parametrize("session", SESSIONS, ids=[session.name for session in SESSIONS])
def test_as_recorded(player: ClientPlayer, session: Session) -> None:
    with running_on(VirtualTime(session.start)) as clock:
        of_session = SessionPlayer(session, player, clock)
        for exchange, answer in expected(session):
            if answer is None:
                of_session.leave_out(exchange)
                continue
            where = f"exchange {exchange['n']}, departure {answer.departure}"
            answered = exchange | {"status": answer.status, "response": answer.reply}
            assert of_session.differs(answered) is None, where
    assert of_session.names.shared() <= {"$ERROR"}, "error entries alone have ids that follow from their words"


def test_what_agrees_and_what_departs() -> None:
    """The figures of docs/conformance.md."""
    answers = [(exchange["route"], answer) for session in SESSIONS for exchange, answer in expected(session)]
    assert (len(SESSIONS), len(answers)) == (26, 4814)
    assert Counter(answer.departure for _, answer in answers if answer) == {None: 4565, "25": 32, "35": 10, "38": 128}
    assert Counter(route.removeprefix(BASE_PATH) for route, answer in answers if answer is None) == {
        "/array/{workflow_id}/get_array_tasks": 5,
        "/get_requested_cores": 3,
        "/get_task_template_version": 4,
        "/task/subdag": 1,
        "/task/update_statuses": 6,
        "/task_dependencies/{task_id}": 4,
        "/task_resource_usage": 1,
        "/task_status": 5,
        "/task_template_resource_usage": 11,
        "/tasks_recursive/{direction}": 2,
        "/workflow/{workflow_id}/reset": 4,
        "/workflow/{workflow_id}/validate_for_workflow_reset/{username}": 5,
        "/workflow/{workflow_id}/validate_username/{username}": 7,
        "/workflow/{workflow_id}/workflow_tasks": 5,
        "/workflow_status": 16,
    }
