"""Every recorded walk, replayed step by step up to where a numbered departure leads elsewhere."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import pytest

from local.seed import Seed, SeedArray, SeedTask, load
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from tests.conformance.departures import not_overdue
from tests.conformance.files import read
from tests.conformance.recording import INSTANCE_FIELDS, Player, due, items_of, put, whole
from tests.conformance.refusals import what_is_not_there
from tests.support.memory.boundary import Memory
from tests.support.memory.operations import Table

WALKS = read("walks")
FIRST_ID: Final = 1_000_000
IDS_PER_WALK: Final = 10
RESOURCES: Final = 7


@dataclass
class Walk:
    """A recorded walk in ids of its own."""

    index: int
    recorded: dict[str, Any]
    heard: set[tuple[str, str]] = field(default_factory=set)
    """What error entries were asked for: instance and words."""
    blurred: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Fields that are not compared any more, by instance."""
    twice: Counter[str] = field(default_factory=Counter)
    """Entries of Jobmon's that say again what was said, by instance (departure 6)."""

    claims: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)
    """Job, node and process of the last claim, by instance."""
    launched: dict[str, str] = field(default_factory=dict)
    """What the distributor called the job last, by instance."""

    @property
    def base(self) -> int:
        return FIRST_ID + self.index * IDS_PER_WALK

    def id(self, symbol: str) -> int:
        """T2 is a task, T2.1 its first instance."""
        task, _, number = symbol.partition(".")
        task_id = self.base + int(task[1:])
        return InstanceKey(task_id, int(number)).id if number else task_id

    @cached_property
    def symbols(self) -> set[str]:
        """The names of all tasks and instances."""
        instances = {symbol for step in self.recorded["steps"] for symbol in step["post"]}
        return instances | {task["id"] for task in self.recorded["tasks"]}

    def ours(self, value: Any) -> Any:
        """A value with its symbols replaced."""
        if isinstance(value, dict):
            return {str(self.ours(key)): self.ours(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.ours(item) for item in value]
        if not isinstance(value, str):
            return value
        whole = {"$ARRAY": self.base, "$WF": self.base, "$WFR": self.base, "$TR": RESOURCES}
        if value in whole:
            return whole[value]
        if value in self.symbols:
            return self.id(value)
        for symbol in sorted({*whole, *self.symbols}, key=len, reverse=True):
            value = value.replace(symbol, str(whole.get(symbol) or self.id(symbol)))
        return value


def prepared(walk: Walk) -> Seed:
    resources = {"stdout": "/logs/out", "stderr": "/logs/err"}
    return Seed(
        arrays=[
            SeedArray(
                array_id=walk.base,
                name="arr",
                workflow_id=walk.base,
                task_template_version_id=1,
                max_concurrently_running=100,
            )
        ],
        tasks=[
            SeedTask(
                task_id=walk.id(task["id"]),
                status=task["status"],
                num_attempts=task["num_attempts"],
                max_attempts=task["max_attempts"],
                workflow_id=walk.base,
                array_id=walk.base,
                name="tname",
                command="echo hi",
                task_resources_id=RESOURCES,
                requested_resources=resources,
            )
            for task in walk.recorded["tasks"]
        ],
    )


@pytest.fixture(scope="module")
def player() -> Player:
    return Player()


def force(walk: Walk, changes: dict[str, dict[str, Any]]) -> None:
    """Put items into a status directly, as triage and resume would."""
    for symbol, change in changes.items():
        assert change.keys() == {"status"}
        task_id, _, number = symbol.partition(".")
        kind: type[TaskInstance | Task] = TaskInstance if number else Task
        sort_key = TaskInstance.sort_key(int(number)) if number else Task.SORT_KEY
        put(kind(Task.partition(walk.id(task_id)), sort_key), change["status"])


def state(walk: Walk, symbols: list[str]) -> dict[str, dict[str, Any]]:
    """Every task and instance that the recording names, in its terms."""
    seen: dict[str, dict[str, Any]] = {}
    tasks = {symbol: items_of(walk.id(symbol)) for symbol in symbols if "." not in symbol}
    for symbol in symbols:
        of_task, _, number = symbol.partition(".")
        items = tasks[of_task]
        assert items.task
        if not number:
            seen[symbol] = {"status": items.task.status, "num_attempts": items.task.num_attempts}
            continue
        found = whole(InstanceKey(walk.id(of_task), int(number)), items)
        instance = found["task_instance"]
        seen[symbol] = {name: instance[name] for name in INSTANCE_FIELDS} | {
            "status": instance["status"],
            "report_by": due(instance["report_by_date"]),
            "batch": instance["array_batch_num"],
            "step": instance["array_step_id"],
            "n_error_logs": len(found["errors"]),
        }
    return seen


def as_recorded(walk: Walk, step: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The state after a step; of error entries, those that say something new."""
    states = {symbol: dict(item) for symbol, item in step["post"].items()}
    for symbol, item in states.items():
        if "." in symbol:
            del item["submitted"]
            item["n_error_logs"] -= walk.twice[symbol]
    return states


def departure_in(  # noqa: PLR0911  # one line for each departure
    step: dict[str, Any], before: dict[str, dict[str, Any]]
) -> str | None:
    """The number of the departure that leads elsewhere at this step, if one does."""
    route = step["route"]
    if step["http_status"] >= 500:
        return {"log_unknown_error": "3", "array_log_distributor_id": "13"}.get(route, "1")
    if "/task_instance/999999999/" in step["path"]:
        return "1"
    symbol = instance_in(step, before)
    if symbol:
        return _departure_of_instance(step, route, before[symbol], before[symbol.partition(".")[0]])
    if route == "log_report_by_batch" and not step["body"]["task_instance_ids"]:
        return "8"
    asked = [name for name in (step.get("body") or {}).get("task_instance_ids") or [] if name in before]
    pairs = [before[name]["status"] + before[name.partition(".")[0]]["status"] for name in asked]
    if route == "instantiate_task_instances" and any(
        (pair[1] in "QI" and pair not in {"QQ", "II"}) or (pair[0] == "I" and pair[1] != "I") for pair in pairs
    ):
        return "11"
    if route in {"transition_to_launched", "transition_to_killed"}:
        return _departure_of_batch(step, route, before)
    return None


def _departure_of_instance(
    step: dict[str, Any], route: str, instance: dict[str, Any], task: dict[str, Any]
) -> str | None:
    body = step["body"] or {}
    pair = instance["status"] + task["status"]
    if route == "log_running" and pair[0] == "R":
        return "7"
    if route in {"log_running", "log_report_by", "log_done", "log_error_worker_node"} and pair in {"TR", "TO", "TI"}:
        return "5"
    erased = ("distributor_id", "stdout", "stderr")
    if route == "log_report_by" and any(instance[name] is not None and body.get(name) is None for name in erased):
        return "4"
    return None


def _departure_of_batch(step: dict[str, Any], route: str, before: dict[str, dict[str, Any]]) -> str | None:
    members = [
        before[name]["status"] + before[name.partition(".")[0]]["status"]
        for name in before
        if "." in name and before[name]["batch"] == step["body"]["batch_number"]
    ]
    if route == "transition_to_killed":
        return "12" if "KI" in members else None
    torn = [pair for pair in members if (pair[0] == "I") != (pair[1] == "I")]
    return "12" if torn else None


IN_PASSING: Final = {"1": 404, "3": 200, "4": 200, "8": 200, "13": 200}
"""Departures that change no status, and what they answer: a walk goes on behind them."""
BLURRED: Final = {"3": {"distributor_id", "nodename"}, "4": {"distributor_id", "stdout", "stderr"}}
"""What they may leave different in their instance: it is not compared from then on."""


def comparable(walk: Walk) -> tuple[list[tuple[dict[str, Any], str | None]], str | None]:
    """The steps up to where a departure leads elsewhere, each with its departure in passing; and that one's number."""
    before: dict[str, dict[str, Any]] = {task["id"]: task for task in walk.recorded["tasks"]}
    steps: list[tuple[dict[str, Any], str | None]] = []
    for step in walk.recorded["steps"]:
        departure = None if step["kind"] == "force" else departure_in(step, before)
        if departure and departure not in IN_PASSING:
            return steps, departure
        steps.append((step, departure))
        before = step["post"]
    return steps, None


def sharp(walk: Walk, states: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The states without what is not compared any more."""
    return {
        symbol: {name: value for name, value in item.items() if name not in walk.blurred[symbol]}
        for symbol, item in states.items()
    }


def instance_in(step: dict[str, Any], before: dict[str, dict[str, Any]]) -> str:
    """The instance that a step is about, if it is about one."""
    return next((part for part in step["path"].split("/") if part in before), "")


def hear(walk: Walk, step: dict[str, Any], before: dict[str, dict[str, Any]]) -> None:
    """Count the entries that Jobmon adds again for words it has heard about the same instance."""
    body = step.get("body") or {}
    words = next((body[name] for name in ("error_description", "error_message", "no_id_err_msg") if name in body), None)
    symbol = instance_in(step, before)
    if words is None or not symbol or step["post"][symbol]["n_error_logs"] == before[symbol]["n_error_logs"]:
        return
    if (symbol, words) in walk.heard:
        walk.twice[symbol] += 1
    walk.heard.add((symbol, words))


NAMES: Final = {"distributor_id", "nodename", "process_group_id"}
"""Whom a report names."""
ENDED: Final = set("DEFUZW")


def by_the_claimant(walk: Walk, step: dict[str, Any], before: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """The body without the names that contradict the claim on the instance (departure 22: such a report is refused).

    The names that were left out are not compared from then on. A walk draws its names at random, so most contradict.
    """
    symbol = instance_in(step, before)
    body: dict[str, Any] | None = step["body"]
    if step["route"] == "array_log_distributor_id" and isinstance(body, dict):
        return {name: _named_as(walk, name, said, before) for name, said in body.items()}
    if not symbol or not isinstance(body, dict):
        return body
    job, node, process = walk.claims.get(symbol, (None, None, None))
    known = {job, walk.launched.get(symbol)} - {None}
    named, ended = body.get("distributor_id"), before[symbol]["status"] in ENDED
    changes: dict[str, Any] = {}
    if step["route"] in {"log_report_by", "log_done", "log_error_worker_node"}:
        changes |= {"distributor_id": None} if None not in (job, named) and named != job else {}
        changes |= {"nodename": None} if None not in (node, body.get("nodename")) and body["nodename"] != node else {}
    elif step["route"] in {"log_known_error", "log_unknown_error"}:
        changes |= {"distributor_id": None} if symbol in walk.launched and named and named not in known else {}
    elif step["route"] == "log_distributor_id":
        renamed = ended and symbol in walk.launched and named not in known
        changes |= {"distributor_id": walk.launched[symbol]} if renamed else {}
    elif step["route"] == "log_running" and ended and symbol in walk.claims:
        changes |= {"distributor_id": job, "nodename": node, "process_group_id": process}
    if changes:
        walk.blurred[symbol] |= NAMES
    return body | {name: value for name, value in changes.items() if name in body}


def _named_as(walk: Walk, symbol: str, said: Any, before: dict[str, dict[str, Any]]) -> Any:
    """The id for one of many: that of before, if this one renames an instance that has ended."""
    known = {walk.claims.get(symbol, (None,))[0], walk.launched.get(symbol)} - {None}
    if symbol not in walk.launched or said in known or before[symbol]["status"] not in ENDED:
        return said
    walk.blurred[symbol] |= NAMES
    return walk.launched[symbol]


def remember_names(walk: Walk, step: dict[str, Any], before: dict[str, dict[str, Any]], asked: dict[str, Any]) -> None:
    """Remember who claimed an instance and how its distributor calls its job. asked: the body as it was sent."""
    symbol, body = instance_in(step, before), step.get("body") or {}
    if step["route"] == "log_running" and step["post"][symbol]["status"] != before[symbol]["status"]:
        walk.claims[symbol] = body.get("distributor_id"), body.get("nodename"), body["process_group_id"]
    elif step["route"] == "log_distributor_id":
        walk.launched[symbol] = asked["distributor_id"]
    elif step["route"] == "array_log_distributor_id":
        walk.launched |= {name: said for name, said in asked.items() if name in before}


def answer(step: dict[str, Any], departure: str | None, before: dict[str, dict[str, Any]]) -> Any:
    """What a step is answered; of an error log the words, once each (departure 6); of a 404 its detail."""
    match departure:
        case "1":
            return what_is_not_there(step)
        case "3":
            return {"message": not_overdue(before[instance_in(step, before)]["status"])}
        case "8":
            return {}
        case "13":
            return {"success": True}
    if step["route"] == "task_instance_error_log":
        return list(dict.fromkeys(row[2] for row in step["response_json"]["task_instance_error_log"]))
    return step["response_json"]


def plain(step: dict[str, Any], http: int, reply: Any) -> Any:
    """A reply as `answer` has it."""
    if http == HTTPStatus.NOT_FOUND:
        return reply["detail"]
    return [row[2] for row in reply["task_instance_error_log"]] if step["route"] == "task_instance_error_log" else reply


@pytest.mark.parametrize("index", range(len(WALKS)), ids=[f"walk {walk['walk_id']}" for walk in WALKS])
def test_as_walked(memory: Memory, player: Player, index: int) -> None:
    memory.table = Table()
    walk = Walk(index, WALKS[index])
    load(prepared(walk))
    before: dict[str, dict[str, Any]] = {task["id"]: task for task in walk.recorded["tasks"]}
    for step, departure in comparable(walk)[0]:
        where = f"step {step['n']}: {json.dumps(step)[:400]}"
        if step["kind"] == "force":
            force(walk, step["set"])
        else:
            hear(walk, step, before)
            asked = by_the_claimant(walk, step, before)
            body = None if asked is None else json.dumps(walk.ours(asked))
            http, reply = player.send(step["method"], walk.ours(step["path"]), body)
            assert http == (IN_PASSING[departure] if departure else step["http_status"]), where
            assert plain(step, http, reply) == walk.ours(answer(step, departure, before)), where
            if departure in BLURRED:
                walk.blurred[instance_in(step, before)] |= BLURRED[departure]
            if http == HTTPStatus.OK:
                remember_names(walk, step, before, asked or {})
        before = step["post"]
        assert sharp(walk, state(walk, list(before))) == sharp(walk, as_recorded(walk, step)), where


def test_where_walks_end() -> None:
    """The figures of docs/conformance.md."""
    ends = [comparable(Walk(index, recorded)) for index, recorded in enumerate(WALKS)]
    assert Counter(departure for _, departure in ends) == {None: 153, "7": 16, "5": 12, "12": 17, "11": 11}
    assert Counter(departure for steps, _ in ends for _, departure in steps) == {None: 2970, "1": 74, "3": 87, "4": 58}
