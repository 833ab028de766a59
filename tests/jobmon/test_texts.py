"""What people write and what commands print comes back to the letter, to Jobmon's client and by the API."""

from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from lockstep.dynamodb.client import connection
from lockstep.task.bound_item import TaskAttribute
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import Attempt, attempts
from tests.jobmon.plan import Plan, Task

TEXT: Final = "é e\u0301 漢字 👩‍🔬 שלום"
"""One letter in two spellings, several scripts, an emoji of three code points, and a script from right to left."""
NAME: Final = TEXT.replace(" ", "-")
"""Jobmon takes no blank in the name of a task."""


def test_every_script(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    command = f"echo '{TEXT}'; echo 'ошибка {TEXT}' >&2; exit 1"
    task = Task(
        NAME, command, f"Schritt {TEXT}", remark=f"Bemerkung {TEXT}", max_attempts=1, task_attributes={TEXT: NAME}
    )
    settings = {"name": f"Ablauf {TEXT}", "description": f"Zweck {TEXT}", "workflow_attributes": {NAME: TEXT}}
    plan = Plan(tmp_path, [task], settings=settings, tool=f"Werkzeug {TEXT}", arguments=f"Argumente {TEXT}")

    end = plan.run(middleman)

    assert end.errors == {NAME: [f"ошибка {TEXT}\n"]}
    assert attempts(api, end.tasks[NAME]) == [Attempt("E", f"{TEXT}\n", [f"ошибка {TEXT}\n"])]
    assert part(asked(api, f"/tasks/{end.tasks[NAME]}"), "name", "command") == {
        "name": NAME,
        "command": f"{command} # {NAME} Bemerkung {TEXT}",
    }
    shown = asked(api, f"/workflows/{end.workflow_id}")
    assert part(shown, "name", "description", "workflow_args", "attributes") == {
        "name": f"Ablauf {TEXT}",
        "description": f"Zweck {TEXT}",
        "workflow_args": f"Argumente {TEXT}",
        "attributes": {NAME: TEXT},
    }
    assert attributes(f"TASK#{end.tasks[NAME]}") == {TEXT: NAME}
    [array] = shown["arrays"]
    assert array["name"] == f"Schritt {TEXT}"
    assert [row["name"] for row in asked(api, f"/arrays/{array['array_id']}/tasks")["tasks"]] == [NAME]
    [found] = asked(api, "/workflows", name=f"ABLAUF {TEXT}")["workflows"]
    assert part(found, "workflow_id", "name") == {"workflow_id": end.workflow_id, "name": f"Ablauf {TEXT}"}
    assert middleman.not_ok == []


def test_an_error_is_the_end_of_what_the_last_attempt_printed(
    middleman: Middleman, api: httpx.Client, tmp_path: Path
) -> None:
    """A worker node keeps the last 10,000 characters."""
    command = "yes a | head -c 20000 >&2; echo $JOBMON_TASK_INSTANCE_ID failed >&2; exit 3"
    plan = Plan(tmp_path, [Task("a", command, max_attempts=2)])

    end = plan.run(middleman)

    last = f"{end.tasks['a'] * 1000 + 2} failed\n"
    assert end.errors == {"a": [("a\n" * 10_000 + last)[-10_000:]]}
    assert [attempt.errors for attempt in attempts(api, end.tasks["a"])][1:] == [end.errors["a"]]
    assert middleman.not_ok == []


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        pytest.param({"tool": "x" * 1_001}, ["status code 422", "route /tool.", "'name'"], id="tool"),
        pytest.param(
            {"settings": {"workflow_attributes": {"x" * 1_001: "value"}}},
            ["status code 422", "workflow_attributes"],
            id="attribute",
        ),
    ],
)
def test_a_refusal_names_what_is_wrong(
    plan: dict[str, Any], words: list[str], middleman: Middleman, tmp_path: Path
) -> None:
    program = Plan(tmp_path, [Task("a")], **plan).start(middleman)

    assert program.wait() == 1
    last = program.printed().splitlines()[-1]
    assert last.startswith("jobmon.core.exceptions.InvalidRequest: Client error with")
    assert [word for word in words if word not in last] == [], last
    assert len(middleman.not_ok) == 1, "it is not sent again"


def asked(api: httpx.Client, path: str, **query: str) -> Any:
    return api.get(path, params=query).raise_for_status().json()


def attributes(pk: str) -> dict[str, str]:
    """The attributes of a task, as they are stored: no route reads them."""
    found = connection().client.query(
        TableName=TaskAttribute.Meta.table_name,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": TaskAttribute.PREFIX}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"].removeprefix(TaskAttribute.PREFIX): item["value"]["S"] for item in found["Items"]}


def part(whole: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: whole[name] for name in names}
