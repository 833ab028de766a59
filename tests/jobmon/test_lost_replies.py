"""Jobmon's client, unmodified, gets no answer to the first of each of its requests, nor does anything that it starts.

It sends each again, and the workflow ends as if each had been sent once. Three kinds of request are answered
(may_be_lost).
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from lockstep.dynamodb import counters
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item
from lockstep.task.item import Resources
from ops.audit.audit import audit
from ops.audit.reader import Budget, Reader
from ops.audit.seen import Seen
from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.plan import Plan, Task
from tests.jobmon.standing import Attempt, attempts, statuses

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


def test_a_run_ends_as_if_every_answer_had_arrived(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    heard = run(tmp_path / "heard", "heard", middleman, api)
    routes = middleman.requests.keys() - {BATCH_HEARTBEAT, HEARTBEAT}
    middleman.lose_first_answers(may_be_lost)

    unheard = run(tmp_path / "unheard", "unheard", middleman, api)

    assert heard.status == "D"
    assert unheard.stored == heard.stored + Counter({Resources: 1}), "stored once a request, as by Jobmon"
    assert replace(unheard, stored=heard.stored) == heard
    assert middleman.lost.keys() >= routes
    assert middleman.not_ok == []
