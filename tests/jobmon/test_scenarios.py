"""Jobmon's client, unmodified, runs whole workflows: small and large, failing, retried and resumed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import httpx

from lockstep.context import request
from lockstep.dynamodb.client import connection, fetch, put_many
from lockstep.fsm.statuses import TaskStatus
from lockstep.task import item as stored
from lockstep.task.bound_item import TaskAttribute
from tests.jobmon.commands import work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import Attempt, attempts, ends, statuses
from tests.jobmon.plan import Plan, Task
from tests.jobmon.programs import wait_for

TIMEOUT = 20
"""A client that resumes waits for a tenth of it, even if nobody else runs the workflow."""
RUN_OF_THE_THOUSAND = 10
"""So many commands run; each takes four requests."""


def finish(task_ids: Iterable[int]) -> None:
    """Have tasks done that never ran."""
    with request():
        tasks = [
            stored.Task.from_raw_data(raw) for raw in fetch(map(stored.Task.key, task_ids), consistent=True).values()
        ]
        for task in tasks:
            task.status = TaskStatus.DONE
        put_many(tasks)


def attributes(pk: str) -> dict[str, str]:
    """The attributes of a workflow or a task, as they are stored: no route reads them."""
    found = connection().client.query(
        TableName=stored.Task.Meta.table_name,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": TaskAttribute.PREFIX}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"].removeprefix(TaskAttribute.PREFIX): item["value"]["S"] for item in found["Items"]}


def test_one_task_with_attributes(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    task = Task("a", "echo hello", task_attributes={"sex": "beide ⚥", "größe": "1 µm"})
    plan = Plan(tmp_path, [task], settings={"name": "erste ◇", "workflow_attributes": {"projekt": "präsidium 🧪"}})

    end = plan.run(middleman)

    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": 1}
    assert attempts(api, end.tasks["a"]) == [Attempt("D", "hello\n", [])]
    assert attributes(f"TASK#{end.tasks['a']}") == {"sex": "beide ⚥", "größe": "1 µm"}
    assert attributes(f"WORKFLOW#{end.workflow_id}") == {"projekt": "präsidium 🧪"}
    assert middleman.not_ok == []


def test_fifty_tasks_in_two_templates(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    first = [Task(f"first-{number}", f"echo {number}", "first") for number in range(25)]
    second = [Task(f"second-{number}", f"echo {number}", "second", [f"first-{number}"]) for number in range(25)]

    end = Plan(tmp_path, [*first, *second]).run(middleman)

    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": 50}
    for name, task_id in end.tasks.items():
        assert attempts(api, task_id) == [Attempt("D", f"{name.partition('-')[2]}\n", [])]
    assert middleman.not_ok == []


def test_a_fan_in_of_a_thousand(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    """A first run binds it and fails at once. The tasks that would only take time are then done by hand."""
    there = tmp_path / "there"
    names = [f"above-{number}" for number in range(1000)]
    first, *others = (Task(name, f"test -e {there}", max_attempts=1) for name in names)
    plan = Plan(tmp_path, [first, *others, Task("below", after=names)])
    failed = replace(plan, settings={"max_concurrently_running": 1}).run(middleman, fail_fast=True)
    assert statuses(api, failed.workflow_id) == {"F": 1, "G": 1000}
    finish(failed.tasks[name] for name in names[RUN_OF_THE_THOUSAND:])
    there.touch()

    end = plan.run(middleman, resume=True, resume_timeout=TIMEOUT)

    assert (end.workflow_id, end.status, end.tasks) == (failed.workflow_id, "D", failed.tasks)
    assert statuses(api, end.workflow_id) == {"D": 1001}
    assert middleman.requests["POST /api/v3/task_instance/#/log_done"] == RUN_OF_THE_THOUSAND + 1
    assert len(attempts(api, end.tasks["below"])) == 1
    assert middleman.not_ok == []


def test_a_task_that_fails_twice_is_done(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    end = Plan(tmp_path, [Task("a", work(tmp_path, "a", failures=2), max_attempts=3)]).run(middleman)

    assert end.status == "D"
    assert attempts(api, end.tasks["a"]) == [
        Attempt("E", "run 1 of a\n", ["a fails\n"]),
        Attempt("E", "run 2 of a\n", ["a fails\n"]),
        Attempt("D", "run 3 of a\n", []),
    ]
    assert middleman.not_ok == []


def test_a_workflow_that_fails_fast_begins_nothing_more(
    middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    """What runs goes on. The task that fails waits until the other one runs."""
    go = tmp_path / "go"
    fails = Task("fails", work(tmp_path, "fails", together=2, failures=1), max_attempts=1)
    runs = Task("runs", work(tmp_path, "runs", together=2, until=go))
    waits = Task("waits", after=["runs"])

    end = Plan(tmp_path, [fails, runs, waits], cluster=forks, queue="small.q").run(middleman, fail_fast=True)

    assert end.status == "E"
    assert statuses(api, end.workflow_id) == {"F": 1, "R": 1, "G": 1}
    go.touch()
    wait_for(lambda: statuses(api, end.workflow_id) == {"F": 1, "D": 1, "G": 1})
    assert [ends(api, task_id) for task_id in end.tasks.values()] == ["E", "D", ""]
    assert middleman.not_ok == []


def test_a_workflow_that_failed_fast_is_resumed(
    middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    """What ran then has ended meanwhile. Only what failed and what never began runs."""
    go = tmp_path / "go"
    fails = Task("fails", work(tmp_path, "fails", together=2, failures=1), max_attempts=1)
    runs = Task("runs", work(tmp_path, "runs", together=2, until=go))
    waits = Task("waits", work(tmp_path, "waits"), after=["runs", "fails"])
    plan = Plan(tmp_path, [fails, runs, waits], cluster=forks, queue="small.q")

    failed = plan.run(middleman, fail_fast=True)
    go.touch()
    wait_for(lambda: statuses(api, failed.workflow_id) == {"F": 1, "D": 1, "G": 1})
    resumed = plan.run(middleman, fail_fast=True, resume=True, resume_timeout=TIMEOUT)

    assert (failed.status, failed.errors) == ("E", {"fails": ["fails fails\n"]})
    assert (resumed.status, resumed.tasks, resumed.errors) == ("D", failed.tasks, {})
    assert statuses(api, resumed.workflow_id) == {"D": 3}
    assert {name: ends(api, task_id) for name, task_id in resumed.tasks.items()} == {
        "fails": "ED",
        "runs": "D",
        "waits": "D",
    }
    assert middleman.not_ok == []


def test_a_resumed_run_runs_the_changed_command(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    before = Plan(tmp_path, [Task("done", "echo once"), Task("a", "echo before; exit 1", max_attempts=1)])
    changed = [Task("done", "echo twice"), Task("a", "echo after", max_attempts=1)]
    after = Plan(tmp_path, changed, arguments=before.arguments)

    failed = before.run(middleman)
    resumed = after.run(middleman, resume=True, resume_timeout=TIMEOUT)

    assert (failed.status, resumed.status) == ("E", "D")
    assert resumed.tasks == failed.tasks
    assert attempts(api, failed.tasks["done"]) == [Attempt("D", "once\n", [])]
    assert [(attempt.status, attempt.printed) for attempt in attempts(api, failed.tasks["a"])] == [
        ("E", "before\n"),
        ("D", "after\n"),
    ]
    assert middleman.not_ok == []
