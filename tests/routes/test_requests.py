"""The requests that the largest call of a route sends to DynamoDB: what docs/sizes.md says of those that read a lot."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest

from local.template import ROOT
from lockstep.array import pages
from lockstep.array.item import Array, array_listed_as, listed_in
from lockstep.dynamodb.item import Item
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.task.item import Task
from lockstep.task_instance.item import MAX_INSTANCE_NUMBER
from lockstep.workflow import counts, listing
from lockstep.workflow.item import ALL_WORKFLOWS, TaskRange, Workflow, workflow_listed_as
from tests.conformance.recording import Player
from tests.support.memory.boundary import Memory, calls_answered_by
from tests.support.memory.operations import Reply

DOCUMENT: Final = (ROOT / "docs" / "sizes.md").read_text(encoding="utf-8")
WORKFLOW: Final = 5_000
ARRAY: Final = 7
FIRST: Final = 600_000_001


class Asked:
    """A table in memory, and how often it was asked."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.operations: Counter[str] = Counter()
        self.player = Player()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        self.operations[operation] += 1
        return self.memory.answer(operation, request)

    def fill(self, items: Iterable[Item]) -> None:
        stored = {(item.pk, item.sk): item.serialize() for item in items}
        self.memory.table = self.memory.table._replace(items={**self.memory.table.items, **stored})

    def get(self, path: str, **query: str) -> Any:
        status, reply = self.player.send("GET", f"/api/v3/{path}", **query)
        assert status == 200, reply
        return reply


@pytest.fixture
def asked() -> Iterator[Asked]:
    made = Asked()
    with calls_answered_by(made.answer):
        made.fill([workflow(WORKFLOW, num_tasks=10_000), an_array(ARRAY)])
        yield made


def documented(route: str) -> list[int]:
    """The numbers that the table states of a route."""
    [told] = re.findall(rf"^\| `{route}` \| ([^|]+) \|$", DOCUMENT, re.MULTILINE)
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", told)]


def workflow(number: int, **more: Any) -> Workflow:
    return Workflow(
        *Workflow.key(number),
        status=WorkflowStatus.RUNNING,
        status_date=1.0,
        created_date=1.0,
        listed_in=ALL_WORKFLOWS,
        listed_as=workflow_listed_as(number),
        **more,
    )


def an_array(number: int) -> Array:
    return Array(
        *Array.key(number),
        name="a",
        workflow_id=WORKFLOW,
        task_template_version_id=number,
        max_concurrently_running=1,
        num_batches=0,
        listed_in=listed_in(WORKFLOW),
        listed_as=array_listed_as(number),
    )


def ranges(number: int, *, size: int = 1, array: int = ARRAY + 1) -> Iterator[TaskRange]:
    for first in range(FIRST, FIRST + number * size, size):
        yield TaskRange(*TaskRange.key(WORKFLOW, first), size=size, arrays=[[array, size]])


def tasks(number: int, status: TaskStatus) -> Iterator[Task]:
    for task_id in range(FIRST, FIRST + number):
        yield Task(
            *Task.key(task_id),
            status=status,
            status_date=1.0,
            num_attempts=1,
            max_attempts=3,
            num_instances=1,
            spec_version=1,
            array_id=ARRAY,
            workflow_id=WORKFLOW,
            name="t",
            command="true",
            task_resources_id=1,
        )


def test_a_page_of_tasks_behind_done_ones_takes_a_request_for_100_of_them(asked: Asked) -> None:
    done = 5_000
    asked.fill([*tasks(done, TaskStatus.DONE), *ranges(done // 500, size=500, array=ARRAY)])
    assert asked.get(f"workflow/get_tasks/{WORKFLOW}", max_task_id="0", chunk_size="500") == {"tasks": {}}
    assert asked.operations == {"Query": 1, "BatchGetItem": done // 100 + 1}, "and one for how far an earlier try came"


def test_the_view_of_a_workflow(asked: Asked) -> None:
    asked.fill([*ranges(counts.MOST_RANGES + 1), *map(an_array, range(100, 101 + counts.MOST_LISTED))])
    shown = asked.get(f"workflows/{WORKFLOW}")
    assert (shown["more_tasks"], shown["more_batches"]) == (True, True)
    pages_at_most, others = documented("show_workflow")
    assert asked.operations.total() <= pages_at_most + others


def test_a_page_of_an_array_behind_other_arrays(asked: Asked) -> None:
    asked.fill(ranges(pages.MOST_RANGES + 1))
    page = asked.get(f"arrays/{ARRAY}/tasks")
    assert page == {"tasks": [], "cursor": str(FIRST + pages.MOST_RANGES - 1)}
    assert asked.operations["Query"] == documented("list_array_tasks")[0]


def test_a_page_of_workflows_of_which_none_is_wanted(asked: Asked) -> None:
    asked.fill(workflow(number) for number in range(1, listing.MOST_EXAMINED + 100))
    page = asked.get("workflows", name="measles", limit="1")
    assert page["workflows"] == []
    assert asked.operations["Query"] == documented("list_workflows")[0]


def test_a_task_that_never_failed_in_999_attempts(asked: Asked) -> None:
    [task] = tasks(1, TaskStatus.RUNNING)
    task.num_instances = MAX_INSTANCE_NUMBER
    asked.fill([task])
    assert asked.get(f"task/{FIRST}/most_recent_ti_error")["task_instance_id"] is None
    assert asked.operations.total() == documented("most_recent_ti_error")[0]
