"""The requests that the largest call of a route sends to DynamoDB: what docs/sizes.md says of those that read a lot."""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

import pytest

from local.template import ROOT
from lockstep.array import pages
from lockstep.array.item import Array
from lockstep.dag.edges import MOST_INLINE
from lockstep.dag.item import Edge, EdgePart, pack
from lockstep.dynamodb.item import Item
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.fields import MAX_TASKS_PER_CALL
from lockstep.task.item import Task
from lockstep.task_instance.item import MAX_INSTANCE_NUMBER
from lockstep.workflow import counts, listing
from lockstep.workflow.item import TaskRange
from tests.support import items
from tests.support.memory import running_on
from tests.support.memory.boundary import calls_answered_by
from tests.support.memory.operations import Reply
from tests.support.slow import Slow

DOCUMENT: Final = (ROOT / "docs" / "sizes.md").read_text(encoding="utf-8")
WORKFLOW: Final = 5_000
ARRAY: Final = 7
FIRST: Final = 600_000_001
DAG: Final = 5


class Asked(Slow):
    """A table in memory of which a read that may lag sees nothing, if it is said so."""

    lags = False

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Carry a request out."""
        if self.lags and operation == "BatchGetItem":
            [(table, wanted)] = request["RequestItems"].items()
            if not wanted.get("ConsistentRead"):
                self.asked[operation] += 1
                return Reply(HTTPStatus.OK, {"Responses": {table: []}, "UnprocessedKeys": {}})
        return super().answer(operation, request)

    def fill(self, filled: Iterable[Item]) -> None:
        stored = {(item.pk, item.sk): item.serialize() for item in filled}
        self.memory.table = self.memory.table._replace(items={**self.memory.table.items, **stored})


@pytest.fixture
def asked() -> Iterator[Asked]:
    made = Asked()
    with running_on(made.clock), calls_answered_by(made.answer):
        made.fill([items.workflow(WORKFLOW, "R", num_tasks=10_000), an_array(ARRAY)])
        yield made


def documented(route: str) -> list[int]:
    """The numbers that the table states of a route."""
    [told] = re.findall(rf"^\| `{route}` \| ([^|]+) \|$", DOCUMENT, re.MULTILINE)
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", told)]


def an_array(number: int) -> Array:
    return items.array(number, workflow_id=WORKFLOW, task_template_version_id=number)


def ranges(number: int, *, size: int = 1, array: int = ARRAY + 1) -> Iterator[TaskRange]:
    for first in range(FIRST, FIRST + number * size, size):
        yield TaskRange(*TaskRange.key(WORKFLOW, first), size=size, arrays=[[array, size]])


def tasks(number: int, status: TaskStatus) -> Iterator[Task]:
    described: dict[str, Any] = {"workflow_id": WORKFLOW, "name": "t", "command": "true", "task_resources_id": 1}
    for task_id in range(FIRST, FIRST + number):
        yield items.task(task_id, status, node_id=task_id, **described)


def test_a_page_of_tasks_behind_done_ones_takes_a_request_for_100_of_them(asked: Asked) -> None:
    done = 5_000
    asked.fill([*tasks(done, TaskStatus.DONE), *ranges(done // 500, size=500, array=ARRAY)])
    assert asked.get("GET", f"/workflow/get_tasks/{WORKFLOW}", max_task_id="0", chunk_size="500") == {"tasks": {}}
    assert asked.asked == {"Query": 1, "BatchGetItem": done // 100 + 1}, "and one for how far an earlier try came"


def test_the_view_of_a_workflow(asked: Asked) -> None:
    asked.fill([*ranges(counts.MOST_RANGES + 1), *map(an_array, range(100, 101 + counts.MOST_LISTED))])
    shown = asked.get("GET", f"/workflows/{WORKFLOW}")
    assert (shown["more_tasks"], shown["more_batches"]) == (True, True)
    pages_at_most, others = documented("show_workflow")
    assert asked.asked.total() <= pages_at_most + others


def test_a_page_of_an_array_behind_other_arrays(asked: Asked) -> None:
    asked.fill(ranges(pages.MOST_RANGES + 1))
    page = asked.get("GET", f"/arrays/{ARRAY}/tasks")
    assert page == {"tasks": [], "cursor": str(FIRST + pages.MOST_RANGES - 1)}
    assert asked.asked["Query"] == documented("list_array_tasks")[0]


def test_a_page_of_workflows_of_which_none_is_wanted(asked: Asked) -> None:
    asked.fill(items.workflow(number, "R") for number in range(1, listing.MOST_EXAMINED + 100))
    page = asked.get("GET", "/workflows", name="measles", limit="1")
    assert page["workflows"] == []
    assert asked.asked["Query"] == documented("list_workflows")[0]


def test_a_task_that_never_failed_in_999_attempts(asked: Asked) -> None:
    [task] = tasks(1, TaskStatus.RUNNING)
    task.num_instances = MAX_INSTANCE_NUMBER
    asked.fill([task])
    assert asked.get("GET", f"/task/{FIRST}/most_recent_ti_error")["task_instance_id"] is None
    assert asked.asked.total() == documented("most_recent_ti_error")[0]


def test_the_largest_look_below_tasks_whose_reads_lag(asked: Asked) -> None:
    """So many nodes have long lists that a reply holds no more."""
    all_, long = MAX_TASKS_PER_CALL, 1_100
    ids = range(FIRST, FIRST + all_)
    below = list(range(MOST_INLINE + 1))
    asked.fill(tasks(all_, TaskStatus.RUNNING))
    asked.fill(Edge(*Edge.key(DAG, node), downstream_in_parts=len(below)) for node in ids[:long])
    asked.fill(EdgePart(*EdgePart.key(DAG, node, "DOWN", 0), node_ids=pack(below)) for node in ids[:long])
    asked.fill(Edge(*Edge.key(DAG, node)) for node in ids[long:])
    asked.lags = True
    reply = asked.get("POST", "/task/get_downstream_tasks", {"task_ids": [*ids], "dag_id": DAG})
    assert len(reply["downstream_tasks"]) == all_
    most, _ = documented("get_downstream_tasks")
    assert asked.asked == {"BatchGetItem": 2 * (all_ // 100 * 2 + long // 100)}
    assert most - 10 < asked.asked.total() <= most
