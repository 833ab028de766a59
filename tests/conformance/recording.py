"""The recorded behaviour of Jobmon 3.6, and one recorded case played on Lockstep. README.md says how to read it."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from local.events import reply_body
from local.gateway import invoke, load_handler
from local.seed import Seed, SeedArray, SeedInstance, SeedTask
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import query
from lockstep.routes import ROUTES
from lockstep.task.item import Task
from lockstep.task.specs import specification
from lockstep.task_instance import views
from lockstep.task_instance.item import MAX_ERROR_BYTES, InstanceKey, Log, TaskInstance, split_task_instance_id
from lockstep.task_instance.read import Whole
from lockstep.text import cut
from lockstep.workflow.item import Workflow
from ops.audit.invariants.task import TaskItems
from tests.conformance.departures import Case, Outcome

AHEAD_SECONDS: Final = 5_000
"""report_by of what is recorded as "future"; a request moves it to 10,000 s from now."""
ROWS_PER_CASE: Final = 10
"""Of tasks and of arrays: so many ids are a case's own."""


@dataclass
class Symbols:
    """Which ids a case's symbols stand for here."""

    base: int
    ids: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, symbol: str) -> int:
        return self.ids[symbol]

    def substitute(self, value: Any) -> Any:
        """The value with its symbols replaced."""
        return substitute(value, self.ids)


def substitute(value: Any, ids: Mapping[str, int]) -> Any:
    """The value with the symbols replaced that stand for these ids."""
    if isinstance(value, dict):
        if "$repeat" in value:
            return value["$repeat"][0] * value["$repeat"][1]
        if "$range" in value:
            return list(range(*value["$range"]))
        return {str(_plain(key, ids)): substitute(item, ids) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [substitute(item, ids) for item in value]
    return _plain(value, ids)


def _plain(value: Any, ids: Mapping[str, int]) -> Any:
    if not isinstance(value, str):
        return value
    if value.endswith(":str") and value[:-4] in ids:
        return str(ids[value[:-4]])
    if value in ids:
        return ids[value]
    return re.sub(r"\$[A-Z]+\d*", lambda match: str(ids.get(match[0], match[0])), value)


def rows(case: Case) -> list[dict[str, Any]]:
    """The prepared rows: the case's own first, then the further ones."""
    own = {"ti": "$TI", "task": "$TASK", "array": "$ARRAY", "batch": 1, "step": 0} | case["pre"]
    return [own, *(case.get("pre_extra") or [])]


def number(case: Case, index: int) -> Symbols:
    """Ids that no other case has."""
    symbols = Symbols(base=100_000 + index * ROWS_PER_CASE)
    symbols.ids = {"$WF": symbols.base, "$WFR": symbols.base, "$WFR2": symbols.base + 1, "$TR": 7}
    instances: dict[str, int] = {}
    for row in rows(case):
        for symbol in (row["array"], row["task"]):
            if symbol not in symbols.ids:
                kind = symbol.rstrip("0123456789")
                symbols.ids[symbol] = symbols.base + sum(1 for known in symbols.ids if known.startswith(kind))
        instances[row["task"]] = instances.get(row["task"], 0) + (row.get("ti_status") is not None)
        if row.get("ti_status") is not None:
            symbols.ids[row["ti"]] = InstanceKey(symbols[row["task"]], instances[row["task"]]).id
    for new, row in enumerate(case.get("new_tis") or [], 1):
        symbols.ids[f"$NEW{new}"] = InstanceKey(symbols[row["task"]], instances[row["task"]] + 1).id
    return symbols


def prepared(case: Case, symbols: Symbols) -> Seed:
    """The case's rows as a seed."""
    seed = Seed()
    for position, row in enumerate(rows(case)):
        array_id, task_id = symbols[row["array"]], symbols[row["task"]]
        if array_id not in {array.array_id for array in seed.arrays}:
            seed.arrays.append(_array(array_id))
        if task_id not in {task.task_id for task in seed.tasks}:
            seed.tasks.append(_task(task_id, array_id, symbols["$WF"], row))
        if row.get("ti_status") is not None:
            seed.task_instances.append(_instance(case, symbols, row, own=position == 0))
    return Seed.model_validate(seed.model_dump())


def _array(array_id: int) -> SeedArray:
    return SeedArray(
        array_id=array_id, name="arr", workflow_id=array_id, task_template_version_id=1, max_concurrently_running=100
    )


def _task(task_id: int, array_id: int, workflow_id: int, row: dict[str, Any]) -> SeedTask:
    return SeedTask(
        task_id=task_id,
        status=row["task_status"],
        num_attempts=row["num_attempts"],
        max_attempts=row["max_attempts"],
        workflow_id=workflow_id,
        array_id=array_id,
        name="tname",
        command="echo hi",
        task_resources_id=7,
        requested_resources={"stdout": "/logs/out", "stderr": "/logs/err"},
    )


def _instance(case: Case, symbols: Symbols, row: dict[str, Any], *, own: bool) -> SeedInstance:
    due = {"late": -AHEAD_SECONDS, "future": AHEAD_SECONDS, None: None}
    return SeedInstance(
        task_instance_id=symbols[row["ti"]],
        status=row["ti_status"],
        workflow_run_id=symbols["$WFR"],
        array_id=symbols[row["array"]],
        array_batch_num=row["batch"],
        array_step_id=row["step"],
        task_resources_id=7,
        report_by_in=due[row.get("report_by", "late")],
        distributor_id="D-0",
        nodename="node-0",
        process_group_id=100,
        stdout="/pre/out",
        stderr="/pre/err",
        errors=(case.get("pre_error_logs") or []) if own else [],
    )


TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
INSTANCE_FIELDS: Final = (
    "distributor_id",
    "nodename",
    "process_group_id",
    "stdout",
    "stderr",
    "stdout_log",
    "stderr_log",
)


def items_of(task_id: int) -> TaskItems:
    """All that there is of a task, by one read, where the API takes three requests."""
    with request():
        return TaskItems.parse(f"TASK#{task_id}", query(Task.partition(task_id), Item.sk >= "A", consistent=True))


def whole(key: InstanceKey, items: TaskItems) -> dict[str, Any]:
    """An instance and its task as GET task_instance shows them, and the descriptions of its error entries."""
    assert items.task
    spec = specification(items.task, items.spec)
    assert spec
    found = Whole(items.instances[key.number], items.task, spec, items.logs.get(key.number, Log()))
    entries = sorted(items.said(key.number), key=lambda said: (said[0].error_time, said[0].sk))
    return {**views.whole(key, found).model_dump(mode="json"), "errors": [description for _, description in entries]}


def put(item: Task | TaskInstance | Workflow, status: str) -> None:
    """Put an item into a status directly, as no request to Lockstep does."""
    item.update([type(item).status.set(status), type(item).status_date.set(now())])


class Player:
    """Plays cases on the functions themselves, and says what came of them in the recording's terms."""

    def __init__(self) -> None:
        self.authorizer: dict[str, Any] = {}
        """What the authorizer says of the caller."""
        self._routes = [(route, load_handler(route.name)) for route in ROUTES]

    def send(
        self, method: str, path: str, body: str | bytes | None = None, headers: Any = None, **query: str | list[str]
    ) -> tuple[int, Any]:
        """Status and body of a reply; API Gateway's own 403 where there is no such route."""
        for route, handler in self._routes:
            match = route.pattern.fullmatch(path)
            if match and route.method == method:
                event = {
                    "resource": route.resource,
                    "path": path,
                    "httpMethod": method,
                    "headers": headers or {},
                    "pathParameters": match.groupdict(),
                    "multiValueQueryStringParameters": {
                        name: [value] if isinstance(value, str) else value for name, value in query.items()
                    },
                    "requestContext": {"authorizer": self.authorizer},
                    "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
                    "isBase64Encoded": isinstance(body, bytes),
                }
                reply = json.loads(invoke(handler, json.dumps(event), route.name))
                return reply["statusCode"], reply_body(reply)
        return 403, {"message": "Missing Authentication Token"}

    def request(self, case: Case, symbols: Symbols) -> tuple[int, Any]:
        """A recorded request and what it is answered."""
        headers = {"Content-Type": "application/json"} | (case.get("headers") or {})
        body: str | bytes | None = case.get("raw_body")
        if isinstance(body, str) and body.startswith("latin1:"):
            body = body.removeprefix("latin1:").encode("latin-1")
        if body is None and case.get("body") is not None:
            body = json.dumps(symbols.substitute(case["body"]))
        return self.send(case["method"], symbols.substitute(case["path"]), body, headers)

    def whole(self, task_instance_id: int) -> dict[str, Any]:
        """An instance and its task as GET task_instance shows them, and the descriptions of its error entries."""
        key = split_task_instance_id(task_instance_id)
        assert key
        return whole(key, items_of(key.task_id))

    def play(self, case: Case, symbols: Symbols) -> Outcome:
        """Send the case's request and say what it did."""
        before = self._look(symbols)
        http, reply = self.request(case, symbols)
        after = self._look(symbols)
        others = {
            row["ti"]: self._pair(symbols[row["ti"]]) for row in case.get("post_extra") or [] if row["ti"] is not None
        }
        made = [f"$NEW{new}" for new in range(1, len(case.get("new_tis") or []) + 1)]
        return Outcome(
            http=http,
            reply=_reply(case, http, reply),
            state=_state(before, after),
            errors=[error for error in after.get("errors", []) if error not in before["errors"]],
            others=others,
            made=[row for symbol in made if (row := self._made(symbols[symbol])) is not None],
        )

    def _look(self, symbols: Symbols) -> dict[str, Any]:
        items = items_of(symbols["$TASK"])
        key = split_task_instance_id(symbols["$TI"]) if "$TI" in symbols.ids else None
        return {**(whole(key, items) if key else {}), "item": items.task}

    def _pair(self, task_instance_id: int) -> tuple[str, str, int]:
        found = self.whole(task_instance_id)
        return found["task_instance"]["status"], found["task"]["status"], found["task"]["num_attempts"]

    def _made(self, task_instance_id: int) -> dict[str, Any] | None:
        status, body = self.send("GET", f"/api/v3/task_instance/{task_instance_id}")
        if status == 404:
            return None
        instance = body["task_instance"]
        return {
            "ti": instance["task_instance_id"],
            "task": body["task"]["task_id"],
            "array": instance["array_id"],
            "workflow_run": instance["workflow_run_id"],
            "task_resources": instance["task_resources_id"],
            "batch": instance["array_batch_num"],
            "step": instance["array_step_id"],
            "ti_status": instance["status"],
            "report_by": instance["report_by_date"],
            "distributor_id": instance["distributor_id"],
        }


def _state(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    task = after["item"]
    state = {
        "task_status": task.status,
        "num_attempts": task.num_attempts,
        "task_status_date_moved": task.status_date != before["item"].status_date,
    }
    if "task_instance" not in after:
        return state
    was, is_now = before["task_instance"], after["task_instance"]
    assert after["task"]["status"] == task.status
    return {
        **state,
        **{name: is_now[name] for name in INSTANCE_FIELDS},
        "ti_status": is_now["status"],
        "status_date_moved": is_now["status_date"] != was["status_date"],
        "report_by": due(is_now["report_by_date"]),
        "report_by_moved": is_now["report_by_date"] != was["report_by_date"],
    }


def due(report_by_date: str | None) -> str | None:
    """late or future, as the recording has it: what is due within the minute was late by the time it was recorded."""
    if report_by_date is None:
        return None
    return "late" if (datetime.fromisoformat(report_by_date) - datetime.now(UTC)).total_seconds() < 60 else "future"


def _reply(case: Case, http: int, reply: Any) -> Any:
    """A reply's body; of an error, the fields that it names, or its detail."""
    if http == 403:
        return None
    if http >= 400:
        assert {"title", "status", "detail"} <= reply.keys()
        assert reply["status"] == http
        assert http != 422 or all(error["field"] and error["message"] for error in reply["errors"])
        return [error["field"] for error in reply["errors"]] if http == 422 else reply["detail"]
    if case["route"] == "task_instance_error_log":
        rows = list(enumerate(reply["task_instance_error_log"], 1))
        assert all(isinstance(row[0], int) and TIME.fullmatch(row[1]) for _, row in rows)
        return {"task_instance_error_log": [[f"$ERRLOG{index}", "$TIME", row[2]] for index, row in rows]}
    return reply


def in_our_ids(outcome: Outcome, symbols: Symbols) -> Outcome:
    """What is expected, with this replay's ids, and with long messages as an item can hold them."""
    return replace(
        outcome,
        reply=symbols.substitute(outcome.reply),
        state={name: symbols.substitute(value) for name, value in outcome.state.items()},
        errors=[cut(symbols.substitute(error), MAX_ERROR_BYTES) for error in outcome.errors],
        made=[symbols.substitute(row) for row in outcome.made],
    )
