"""Every report that names a job or a node: one that names another than runs is answered, counted, and changes nothing.

Decision 34 says who hears what. The reports are those of routes.py whose body names a job or a node.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from lockstep import observability
from lockstep.routes import ROUTES, Route
from tests.routes.test_claims import ANOTHER_JOB, Attempt
from tests.support.contract import models
from tests.support.every import is_listed
from tests.support.lines import Lines
from tests.support.memory.boundary import Memory, in_memory
from tests.support.memory.virtual_time import running_on

NAMES: Final = frozenset({"distributor_id", "nodename"})
OF_ANOTHER: Final = {name: ANOTHER_JOB[name] for name in NAMES}
TRIAGE: Final = {"error_state": "Z", "error_message": "out of memory", **OF_ANOTHER}
PRINTED: Final = {"stdout": "/of/78", "stderr": "/of/78"}
SWEPT: Final[dict[str, dict[str, Any]]] = {
    "log_running": {**ANOTHER_JOB, "next_report_increment": 279},
    "log_report_by": {"distributor_id": "78", "next_report_increment": 9_000, **PRINTED},
    "log_done": {**OF_ANOTHER, **PRINTED, "stdout_log": "printed"},
    "log_error_worker_node": {**OF_ANOTHER, **PRINTED, "error_state": "E", "error_description": "boom"},
    "log_known_error": TRIAGE,
    "log_unknown_error": TRIAGE,
    "log_distributor_id": {"distributor_id": "78", "next_report_increment": 9_000},
}
RENAMES: Final = {"log_distributor_id"}
"""A distributor may call a job otherwise than its worker node does, until it has ended: it knows what it submitted."""
NOT_SWEPT: Final = {
    "array_log_distributor_id": "it names the jobs of many: test_ended.py, test_each_of_many_has_its_own_outcome",
    "log_no_distributor_id": "it says that there is no job",
}
OVERDUE: Final = {"log_unknown_error"}
"""The reports that are heard only of an instance whose report is late."""


def names_a_job(row: Route) -> bool:
    body = models(row).get("body")
    return body is not None and bool(NAMES & body.model_fields.keys() or "distributor_id" in row.path)


def test_every_report_that_names_a_job_is_swept_or_it_is_said_why_not() -> None:
    reports = {row.name for row in ROUTES if names_a_job(row)}
    is_listed(reports, SWEPT.keys() | NOT_SWEPT.keys(), "it names a job; add it to SWEPT, or say in NOT_SWEPT why not")


@pytest.fixture
def memory() -> Iterator[Memory]:
    with in_memory() as made:
        yield made


@pytest.fixture
def attempt(memory: Memory) -> Iterator[Attempt]:
    """An attempt that job 77 has claimed."""
    assert not memory.items
    made = Attempt()
    with running_on(made.clock):
        made.launch()
        assert made.claim() == "R"
        made.clock.sleep(5)
        yield made


def _without_refusals(memory: Memory) -> Any:
    return {
        key: {name: value for name, value in item.items() if name != "refusals"} for key, item in memory.items.items()
    }


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The log with its metrics."""
    monkeypatch.setattr(observability, "NAMESPACE", "Lockstep")
    return Lines(monkeypatch)


def _refused(lines: Lines) -> list[str]:
    return [name for line in lines.taken() for name in line if name.startswith("Refused.")]


@pytest.mark.parametrize("route", sorted(SWEPT.keys() - RENAMES))
def test_a_report_of_another_job_changes_nothing_while_one_runs(
    attempt: Attempt, memory: Memory, route: str, lines: Lines
) -> None:
    attempt.clock.sleep(300 if route in OVERDUE else 0)
    before = _without_refusals(memory)
    lines.taken()
    assert attempt.send(route, **SWEPT[route])[0] == 200
    assert _without_refusals(memory) == before
    assert _refused(lines) in [["Refused.FENCED"], ["Refused.OTHER_JOB"]]
    assert attempt.contested() == (0, 1)


@pytest.mark.parametrize("route", SWEPT)
def test_a_report_of_another_job_changes_nothing_after_the_end(
    attempt: Attempt, memory: Memory, route: str, lines: Lines
) -> None:
    assert attempt.finish() == "D"
    before = _without_refusals(memory)
    lines.taken()
    assert attempt.send(route, **SWEPT[route])[0] == 200
    assert _without_refusals(memory) == before
    assert len(_refused(lines)) == 1
    assert attempt.contested() == (0, 1)
