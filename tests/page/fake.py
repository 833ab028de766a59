"""An API of made-up replies behind the real page: a workflow of 100,000 tasks, one of whose attempts failed.

Nothing is served over a network: the browser's requests are answered where they leave it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Request, Route

from local.events import EXAMPLES, cases_of, filled, read
from local.gateway import load_handler

ORIGIN: Final = "http://lockstep.localhost"
NOW: Final = "2026-11-28T21:00:00+00:00"
BEFORE: Final = "2026-11-28T00:00:00+00:00"
WORKFLOW, RUN, ARRAY, TASK, INSTANCE = 1001, 1007, 1003, 1_000_000_001, 1_000_000_001_002
TASKS: Final = 100_000
PER_PAGE: Final = 50
FAILED: Final = 60
PREFIXES: Final = ("", "/prod")
"""Where the API may be: at the root as `make run` serves it, or below its stage."""

Json = dict[str, Any]
Answer = Callable[[dict[str, list[str]]], Any]


@dataclass
class Fake:
    """Answers each path below api/v3 with a value, or with what a function makes of the query."""

    replies: dict[str, Any | Answer] = field(default_factory=lambda: dict(USUAL))
    asked: list[str] = field(default_factory=list)
    """Paths below api/v3 with their queries, as they came."""
    strays: list[str] = field(default_factory=list)
    """What was asked for and is neither the page nor below api/v3."""
    away: bool = False
    refuses: tuple[int, str] | None = None
    """A status and a detail with which everything is answered."""

    def answer_in(self, context: BrowserContext) -> None:
        """Answer all that this context's pages ask for."""
        context.route("**/*", self._answer)

    def count(self, path: str) -> int:
        """How often a path was asked for, whatever its query."""
        return sum(each.partition("?")[0] == path for each in self.asked)

    def _answer(self, route: Route, request: Request) -> None:
        url = urlsplit(request.url)
        prefix, slash, path = url.path.partition("/api/v3/")
        if slash and prefix in PREFIXES:
            self.answer_api(route, path, url.query)
        elif url.path.rstrip("/") in PREFIXES:
            reply = load_handler("show_page")(read("show_page"), None)
            route.fulfill(status=reply["statusCode"], headers=reply["headers"], body=reply["body"])
        else:
            self.strays.append(request.url)
            route.abort()

    def answer_api(self, route: Route, path: str, query: str) -> None:
        """Answer what is asked of a path below api/v3."""
        self.asked.append(f"{path}?{query}" if query else path)
        if self.away:
            route.abort("connectionrefused")
            return
        status, detail = self.refuses or (404, f"{path} does not exist")
        reply = self.replies.get(path)
        if self.refuses or reply is None:
            fulfill(route, status, {"type": "about:blank", "title": "t", "status": status, "detail": detail})
        else:
            fulfill(route, 200, reply(parse_qs(query)) if callable(reply) else reply)


def fulfill(route: Route, status: int, body: Any) -> None:
    """Answer with JSON."""
    route.fulfill(status=status, content_type="application/json", body=json.dumps(body))


def counts(**by_status: int) -> dict[str, int]:
    """How many tasks are in each status."""
    return dict.fromkeys("GQIORDAF", 0) | by_status


def _example(name: str) -> Json:
    """What a route answers to its event: each field of a reply is there, made up or not."""
    reply: Json = filled(cases_of(name)[name].reply, EXAMPLES)
    return reply


def row(number: int, **other: Any) -> Json:
    """A workflow in the list."""
    return {
        **_example("list_workflows")["workflows"][0],
        "workflow_id": number,
        "name": f"workflow {number}",
        "user": "ann",
        "status_date": "2026-11-28T20:58:00+00:00",
        "num_tasks": TASKS,
        "workflow_run_id": RUN,
        **other,
    }


def listed(query: dict[str, list[str]]) -> Json:
    """120 workflows, in pages."""
    numbers = range(1120, 1000, -1)
    begin = int(query.get("cursor", ["0"])[0])
    rows = [row(number) for number in numbers]
    if "status" in query:
        rows = [each for each in rows if each["status"] in query["status"]]
    if "name" in query:
        rows = [each for each in rows if query["name"][0] in each["name"]]
    shown = rows[begin : begin + PER_PAGE]
    return {"workflows": shown, "cursor": begin + PER_PAGE if begin + PER_PAGE < len(rows) else None}


def workflow(**other: Any) -> Json:
    """The workflow."""
    tasks = counts(D=95_000, R=4_000, Q=940, F=FAILED)
    return {
        **_example("show_workflow"),
        "workflow_id": WORKFLOW,
        "name": "diamond",
        "description": "A diamond of arrays.",
        "workflow_args": "--all",
        "status_date": "2026-11-28T20:00:00+00:00",
        "bound_date": "2026-11-28T19:59:00+00:00",
        "max_concurrently_running": 5_000,
        "num_tasks": TASKS,
        "workflow_run_id": RUN,
        "tool_version_id": 5,
        "dag_id": "9007199254740993",
        "attributes": {"project": "gbd", "ticket": None},
        "runs": [run()],
        "arrays": [
            {
                "array_id": ARRAY,
                "name": "model",
                "max_concurrently_running": 2**31 - 1,
                "num_tasks": TASKS,
                "tasks_by_status": tasks,
            }
        ],
        "tasks_by_status": tasks,
        "seen_date": "2026-11-28T20:59:48+00:00",
        **other,
    }


def run(**other: Any) -> Json:
    """A run of the workflow."""
    return {
        **_example("show_run"),
        "workflow_run_id": RUN,
        "workflow_id": WORKFLOW,
        "status": "R",
        "status_name": "RUNNING",
        "status_date": "2026-11-28T20:00:10+00:00",
        "user": "ann",
        "jobmon_version": "3.6.0",
        "report_by_date": "2026-11-28T21:01:30+00:00",
        **other,
    }


def tasks(query: dict[str, list[str]]) -> Json:
    """The array's tasks, in pages."""
    status = query.get("status", ["D"])[0]
    names = {"D": "DONE", "F": "ERROR_FATAL", "R": "RUNNING"}
    how_many = {"D": TASKS, "F": FAILED}.get(status, 0)
    begin = int(query.get("cursor", ["0"])[0])
    shown = [
        {
            "task_id": TASK + number,
            "name": f"model {number}",
            "status": status,
            "status_name": names[status],
            "status_date": "2026-11-27T20:00:00+00:00",
            "num_attempts": 1,
            "max_attempts": 3,
            "task_instance_id": INSTANCE + 1000 * number,
        }
        for number in range(begin, min(begin + PER_PAGE, how_many))
    ]
    return {"tasks": shown, "cursor": str(begin + PER_PAGE) if begin + PER_PAGE < how_many else None}


def attempt(number: int, **other: Any) -> Json:
    """An attempt at the task."""
    return {
        **_example("show_task")["attempts"][0],
        "task_instance_id": TASK * 1000 + number,
        "status_date": f"2026-11-28T20:{10 * number:02}:00+00:00",
        "reason": "No heartbeat came in time, and triage found no cause.",
        "queued_date": f"2026-11-28T20:{10 * number - 9:02}:00+00:00",
        "started_date": f"2026-11-28T20:{10 * number - 7:02}:00+00:00",
        "workflow_run_id": RUN,
        "distributor_id": f"86753{number}",
        "nodename": f"node-{number}",
        "array_batch_num": number,
        **other,
    }


def task(**other: Any) -> Json:
    """The task that failed."""
    return {
        **_example("show_task"),
        "task_id": TASK,
        "name": "model 0",
        "command": "python model.py --location 0",
        "status_date": "2026-11-28T20:20:00+00:00",
        "workflow_id": WORKFLOW,
        "array_id": ARRAY,
        "node_id": "77",
        "task_resources_id": 6,
        "attempts": [attempt(2), attempt(1)],
        **other,
    }


def whole(number: int, **other: Any) -> Json:
    """An attempt and its task, with what it printed."""
    printed = {
        "stdout": "/logs/model.o",
        "stderr": "/logs/model.e",
        "stdout_log": "began\n",
        "stderr_log": "Killed\n",
    }
    return {"task_instance": {"task_instance_id": TASK * 1000 + number, **printed, **other}, "task": {"task_id": TASK}}


def errors(*texts: str) -> Json:
    """An attempt's error entries."""
    return {
        "task_instance_error_log": [[number, "2026-11-28 20:19:58", text] for number, text in enumerate(texts, start=1)]
    }


USUAL: Final[dict[str, Any | Answer]] = {
    "workflows": listed,
    f"workflows/{WORKFLOW}": workflow(),
    f"workflow_runs/{RUN}": run(),
    f"arrays/{ARRAY}/tasks": tasks,
    f"tasks/{TASK}": task(),
    f"task_instance/{INSTANCE}": whole(2),
    f"task_instance/{INSTANCE}/task_instance_error_log": errors("boom at step 7"),
    f"task_instance/{INSTANCE - 1}": whole(1, stdout_log=None, stderr_log=None),
    f"task_instance/{INSTANCE - 1}/task_instance_error_log": errors(),
}
