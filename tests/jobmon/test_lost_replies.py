"""Jobmon's client, unmodified, gets no answer to the first of each of its requests, nor does anything that it starts.

It sends each again, and the workflow ends as if each had been sent once. Three kinds of request are answered
(may_be_lost). Then one answer alone is lost in each run, another one each time: one in EVERY, each with EVERY=1.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from lockstep.dynamodb import counters
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item
from lockstep.task.bound_item import Resources
from ops.audit.audit import audit
from ops.audit.reader import Budget, Reader
from ops.audit.seen import Seen
from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import Attempt, attempts, statuses
from tests.jobmon.plan import Plan, Task

EVERY = int(os.environ.get("EVERY", "30"))
BATCH_HEARTBEAT = "POST /api/v3/task_instance/log_report_by/batch"
HEARTBEAT = "POST /api/v3/task_instance/#/log_report_by"
"""Sent only if the command takes a second."""
MOVES_OF_THE_DISTRIBUTOR = [b'{"status": "I"}', b'{"status": "O"}']


def may_be_lost(route: str, body: bytes) -> bool:
    """Whether Jobmon's programs outlive that a request is not answered.

    A distributor sends its heartbeat of a batch by a client that does not retry, and ends. A client waits for ever for
    a distributor that logs anything, a retry for one, before it says that it is up.
    """
    return route != BATCH_HEARTBEAT and body not in MOVES_OF_THE_DISTRIBUTOR


def stored() -> Counter[type[Item]]:
    """How many items of each kind are in the table, beside the counters of ids."""
    seen = Seen()
    for _ in audit(Reader(connection().client, Item.Meta.table_name, Budget(None)), seen):
        pass
    del seen.kinds[counters.Counter]
    return seen.kinds


@dataclass(frozen=True)
class Ran:
    """What a run of a small workflow came to."""

    status: str
    statuses: dict[str, int]
    attempts: dict[str, list[Attempt]]
    journal: list[str]
    stored: Counter[type[Item]]
    """The items that it has added, by kind."""


def run(directory: Path, tool: str, middleman: Middleman, api: httpx.Client) -> Ran:
    """Run a task that fails once."""
    directory.mkdir()
    before = stored()
    tasks = [Task("a", work(directory, "a", failures=1), task_attributes={"sex": "ü"})]
    plan = Plan(directory, tasks, tool=tool, settings={"workflow_attributes": {"project": "präsidium"}})
    end = plan.run(middleman)
    found = {name: attempts(api, task_id) for name, task_id in end.tasks.items()}
    return Ran(end.status, statuses(api, end.workflow_id), found, journal(directory), stored() - before)


@pytest.fixture
def heard(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> Ran:
    """A run that hears every answer."""
    return run(tmp_path / "heard", f"{tmp_path.name} heard", middleman, api)


def test_a_run_ends_as_if_every_answer_had_arrived(
    heard: Ran, middleman: Middleman, api: httpx.Client, tmp_path: Path
) -> None:
    routes = middleman.requests.keys() - {BATCH_HEARTBEAT, HEARTBEAT}
    middleman.lose_first_answers(may_be_lost)

    unheard = run(tmp_path / "unheard", "unheard", middleman, api)

    assert heard.status == "D"
    assert unheard.stored == heard.stored + Counter({Resources: 1}), "stored once a request, as by Jobmon"
    assert replace(unheard, stored=heard.stored) == heard
    assert middleman.lost.keys() >= routes
    assert middleman.not_ok == []


@pytest.mark.timeout(3600)  # with EVERY=1
def test_a_run_ends_as_if_the_answer_had_arrived_whichever_is_lost(
    heard: Ran, middleman: Middleman, api: httpx.Client, tmp_path: Path
) -> None:
    requests, lost = middleman.distinct, Counter[str]()
    middleman.lose_first_answers(may_be_lost)
    for number in range(1, requests + 1, EVERY):
        middleman.lose_answer_number(number)
        unheard = run(tmp_path / f"unheard {number}", f"unheard {number}", middleman, api)
        assert middleman.lost.total() <= 1
        more = unheard.stored - heard.stored
        assert more in (Counter(), Counter({Resources: 1})), (number, middleman.lost)
        assert replace(unheard, stored=heard.stored) == heard, (number, middleman.lost)
        lost += middleman.lost
    assert lost.total() >= requests // EVERY - len(MOVES_OF_THE_DISTRIBUTOR)
    assert middleman.not_ok == []
