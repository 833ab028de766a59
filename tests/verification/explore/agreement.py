"""Whether requests that were served together did what they would have done one after another.

Everything they left and everything they answered must be the same, but for these things:

* what a batch's item notes of its instances is a hint, which may lag: it must be true, not the same;
* a batch's number may be higher: numbers of writers that came too late are never given out again;
* what a worker is to run is of the moment when it was read, beside its claim: a binding may lie between the two, but it
  is what some order of them would have it run, as a whole;
* a resume's error entry names the status in which the resume found the instance, which may have moved on since;
* when a workflow was made, bound and linked is of the clocks of those who came first;
* the number of a new run, workflow or task may be higher: who loses a race has taken one;
* who ends a run for a resume does it in steps: it asks it to end, stops what it has started, ends it, and goes on. Who
  comes between hears that it ends, or reports about what has been stopped (RunStart.in_two_steps);
* a new run looks after what earlier ones left if it finds a resume noted: one that is linked after a resume has ended
  a late run, and before it is noted, does not.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from lockstep.array.item import Batch, NextCheck, batch_of
from lockstep.array.last_seen import WAITING
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS
from lockstep.dynamodb.counters import Counter
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended
from lockstep.task_instance.item import TaskInstance
from lockstep.workflow.item import TaskRange
from ops.audit.invariants.batch import lateness
from ops.audit.small import check_table
from tests.support.memory.expressions import Item
from tests.support.memory.operations import Key
from tests.verification.explore.schedules import End, Explored, State

HINTS: Final = {"attention", "listed_as", "noted_at", "seen"}
"""Of a batch."""
DEFECT: Final = 500
NOT_COMPARED: Final = {"ARRAY": {"num_batches"}, "RUN": {"attention", "workflow_run_id"}}
UNAVAILABLE: Final = (503, "{}")
"""An index does not show all of a batch yet: the same call again does what this one did not."""
PAIR: Final = "pair"
"""A start may hold statuses that no rule leads to. Pairs are compared with those of requests served one by one."""
COUNTED: Final = frozenset(Counter.key(kind).pk for kind in ("workflow_run", "workflow", "task"))
RESUMED: Final = "Workflow resume requested"
"""How a resume's error entry begins."""


def disagreements(together: Explored, one_by_one: frozenset[End], at: float, *, lag: bool = False) -> list[str]:
    """What is wrong with some of the schedules, in words; nothing if all is well. `at` is the latest of the clocks.

    Where reads lag, a batch may be looked at later than it should, but no later than if nobody had promised anything.
    """
    right = {_plain(end) for end in one_by_one}
    read = {what for end in one_by_one for _, what in _rows(end)}
    wrong = [end for end in together.ends if _plain(end) not in right or not _to_run(end) <= read]
    told = [_in_words(end, one_by_one) for end in wrong]
    told += [f"answered {end.replies}" for end in together.ends if _has_5xx(end, lag=lag)]
    return told + [found for end in together.ends for found in false_hints(end.table.items, at, lag=lag)]


def _has_5xx(end: End, *, lag: bool) -> bool:
    return any(status >= DEFECT and not (lag and status == UNAVAILABLE[0]) for status, _ in end.replies)


def _plain(end: End) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    return _plain_items(end.table), tuple(
        UNAVAILABLE if status == UNAVAILABLE[0] else (status, _plain_reply(reply)) for status, reply in end.replies
    )


@cache
def _plain_reply(reply: str) -> str:
    match json.loads(reply):
        case {"task_instance": [number, status, run, task, *_]}:
            return json.dumps([number, status, run, task])
        case {"status": "C" | "H" | "T"}:
            return "the run ends for a resume"
        case {"num_cleaned_up": cleaned, "num_workflow_runs_finalized": _}:
            return json.dumps({"num_cleaned_up": cleaned})
    return _without_new_numbers(reply)


NEW: Final = re.compile(r"\b0*1(000000)?[0-9]{3}\b")
"""The first number that is given out is 1001, of a task 1,000,000,001; those of a start are smaller."""


def _without_new_numbers(text: str) -> str:
    return NEW.sub("new", text)


def _to_run(end: End) -> set[str]:
    """What workers run, whole. Who is not told R runs nothing, whatever he is told beside."""
    return {what for status, what in _rows(end) if status == TaskInstanceStatus.RUNNING}


def _rows(end: End) -> list[tuple[str, str]]:
    """The status that each worker is told, and what there is to run."""
    return [row for _, reply in end.replies for row in _row(reply)]


@cache
def _row(reply: str) -> tuple[tuple[str, str], ...]:
    match json.loads(reply):
        case {"task_instance": [_, status, _, _, *what]}:
            return ((status, json.dumps(what)),)
    return ()


@cache
def _plain_items(state: State) -> tuple[str, ...]:
    numbers = sorted({batch_of(pk)[1] for pk, _ in state.items if pk.startswith("BATCH#")})
    renamed = {str(number): f"batch {place}" for place, number in enumerate(numbers)}
    stored = (item for (pk, _), item in state.items.items() if pk not in COUNTED and not _is_of_no_task(item))
    plain = (_plain_item(item, renamed) for item in stored)
    return tuple(sorted(_without_new_numbers(json.dumps(item, sort_keys=True)) for item in plain))


def _is_of_no_task(item: Item) -> bool:
    """Whether it is a range of ids that were taken for a task which somebody else bound first."""
    if not item["sk"]["S"].startswith(TaskRange.PREFIX):
        return False
    return all(array == 0 for array, _ in json.loads(item["arrays"]["S"]))


def _plain_item(item: Item, renamed: Mapping[str, str]) -> dict[str, Any]:
    match item["sk"]["S"].split("#"):
        case ["BATCH" | "RUN", *_] if item["pk"]["S"].startswith("BATCH#"):
            number = renamed[item["pk"]["S"].split("#")[2]]
            return {**item, "pk": number} | dict.fromkeys(HINTS)
        case ["TI", _]:
            number = renamed[item["array_batch_num"]["N"]]
            return {**item, "array_batch_num": number, "array_step": number}
        case ["WORKFLOW"]:
            said = {name: name in item for name in ("created_date", "linked_since")}
            return {**item, "status_date": None, "num_tasks": None, **said}
        case ["ARRAY" | "RUN" as kind]:
            return {**item, **dict.fromkeys(NOT_COMPARED[kind])}
        case ["TI", number, "ERR", _] if item["description"]["S"].startswith(RESUMED):
            return {**item, "sk": number, "description": RESUMED}
    return dict(item)


def false_hints(items: Mapping[Key, Item], at: float, *, lag: bool) -> list[str]:
    """What batches say of their instances that is not so, and every other broken invariant."""
    instances = [TaskInstance.from_raw_data(dict(item)) for (_, sk), item in items.items() if _is_instance(sk)]
    batches = [Batch.from_raw_data(dict(item)) for (pk, _), item in items.items() if pk.startswith("BATCH#")]
    broken = [str(finding) for finding in check_table(items) if finding.check != PAIR]
    return broken + [found for batch in batches for ti in instances for found in _false(batch, ti, at, lag=lag)]


def _is_instance(sk: str) -> bool:
    return sk.startswith("TI#") and sk.count("#") == 1


def _false(batch: Batch, ti: TaskInstance, at: float, *, lag: bool) -> Iterable[str]:
    status, attention = TaskInstanceStatus(ti.status), batch.attention
    of_batch = (*batch_of(batch.pk), batch.workflow_run_id) == (ti.array_id, ti.array_batch_num, ti.workflow_run_id)
    if not of_batch or has_ended(status) or not attention:
        return
    where = f"{batch.pk} step {ti.array_step_id}, which is {status}"
    if status in WAITING and not NextCheck.parse(attention).waiting:
        yield f"{where}: the batch is not listed among those with waiting instances"
    prompt = status is TaskInstanceStatus.RUNNING and not lag
    late = lateness(batch, ti, at) if prompt else NextCheck.parse(attention).due - at - HEARTBEAT_BUFFER_SECONDS
    if late > 0:
        yield f"{where}: the batch is checked {late} s too late"


def _in_words(end: End, right: Iterable[End]) -> str:
    """With the nearest of those that are right."""
    plain = _plain(end)
    nearest = min(map(_plain, right), key=lambda other: len({*plain[0]} ^ {*other[0]}))
    together, one_by_one = sorted({*plain[0]} - {*nearest[0]}), sorted({*nearest[0]} - {*plain[0]})
    return f"together: {plain[1]} {together}; one by one: {nearest[1]} {one_by_one}"
