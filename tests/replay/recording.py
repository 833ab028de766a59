"""The recorded behaviour of Jobmon 3.6, and one recorded case played on Lockstep. README.md says how to read it."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from local.seed import Seed, SeedArray, SeedInstance, SeedTask
from lockstep import keys
from lockstep.items import Task

HERE: Final = Path(__file__).parent
AHEAD_SECONDS: Final = 5_000
"""report_by of what is recorded as "future"; a request moves it to 10,000 s from now."""
ROWS_PER_CASE: Final = 10
"""Of tasks and of arrays: so many ids are a case's own."""

Case = dict[str, Any]
Send = Callable[[str, str, str | None, dict[str, str]], tuple[int, Any]]
"""Method, path, body and headers to status and body."""


def read(name: str) -> list[Case]:
    """One of the two recordings."""
    with gzip.open(HERE / f"{name}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


@dataclass
class Symbols:
    """Which ids a case's symbols stand for here."""

    base: int
    ids: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, symbol: str) -> int:
        return self.ids[symbol]

    def substitute(self, value: Any) -> Any:
        """The value with its symbols replaced."""
        if isinstance(value, dict):
            if "$repeat" in value:
                return value["$repeat"][0] * value["$repeat"][1]
            if "$range" in value:
                return list(range(*value["$range"]))
            return {str(self._plain(key)): self.substitute(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.substitute(item) for item in value]
        return self._plain(value)

    def _plain(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.endswith(":str") and value[:-4] in self.ids:
            return str(self.ids[value[:-4]])
        if value in self.ids:
            return self.ids[value]
        return re.sub(r"\$[A-Z]+\d*", lambda match: str(self.ids.get(match[0], match[0])), value)


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
            symbols.ids[row["ti"]] = keys.task_instance_id(symbols[row["task"]], instances[row["task"]])
    for new, row in enumerate(case.get("new_tis") or [], 1):
        symbols.ids[f"$NEW{new}"] = keys.task_instance_id(symbols[row["task"]], instances[row["task"]] + 1)
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


INSTANCE_FIELDS: Final = (
    "distributor_id",
    "nodename",
    "process_group_id",
    "stdout",
    "stderr",
    "stdout_log",
    "stderr_log",
)


class Player:
    """Plays cases over a way to send requests, and says what came of them in the recording's terms."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def state(self, task_instance_id: int) -> dict[str, Any]:
        """An instance, its task and its error entries."""
        status, body = self._send("GET", f"/api/v3/task_instance/{task_instance_id}", None, {})
        assert status == 200, body
        errors = self._send("GET", f"/api/v3/task_instance/{task_instance_id}/task_instance_error_log", None, {})[1]
        return body | {"errors": [row[2] for row in errors["task_instance_error_log"]]}

    def request(self, case: Case, symbols: Symbols) -> tuple[int, Any]:
        """The case's request and what it is answered."""
        headers = {"Content-Type": "application/json"} | (case.get("headers") or {})
        if "raw_body" in case:
            body = case["raw_body"]
        else:
            body = None if case.get("body") is None else json.dumps(symbols.substitute(case["body"]))
        return self._send(case["method"], symbols.substitute(case["path"]), body, headers)
