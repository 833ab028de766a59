"""Where Lockstep departs from Jobmon 3.6 on purpose, and what it does instead. Numbers as in docs/departures.md.

Each function looks at a recorded case and says what Lockstep's outcome is where that departure applies.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from tests.conformance.files import read
from tests.conformance.refusals import FIELDS, MESSAGES, NO_FIELDS, NO_JSON, label, recorded_fields, refusal

Case = dict[str, Any]

TASK_AFTER: Final = {"D": "D", "F": "F", "E": "G", "U": "G", "W": "G", "Z": "A"}
"""Where the task of an instance goes that moves there, with attempts left; without, it goes to F but for D."""


@dataclass(frozen=True)
class Outcome:
    """What a request did, in the recording's terms."""

    http: int
    reply: Any
    """Of an error: see refusals.py."""
    state: dict[str, Any]
    """Of the case's own instance and its task."""
    errors: list[Any] = field(default_factory=list)
    """The entries that it added to the instance."""
    others: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Of the further instances: status, task's status, task's attempts."""
    made: list[dict[str, Any]] = field(default_factory=list)
    """The instances that it made."""


NOT_RECORDED: Final = {"submitted_date_set"}
"""Lockstep keeps no such date: nothing reads it."""


def recorded(case: Case) -> Outcome:
    """What Jobmon did."""
    return Outcome(
        http=case["http_status"],
        reply=recorded_fields(case) if case["http_status"] == 422 else case["response_json"],
        state={name: value for name, value in case["post"].items() if name not in NOT_RECORDED},
        errors=case.get("error_logs") or [],
        others={
            row["ti"]: (row["ti_status"], row["task_status"], row["num_attempts"])
            for row in case.get("post_extra") or []
            if row["ti"]
        },
        made=case.get("new_tis") or [],
    )


def untouched(case: Case, http: int) -> Outcome:
    """What changed nothing: an error, or a 200 whose reply is not known here."""
    pre = case["pre"]
    state = {name: False for name in recorded(case).state if name.endswith("_moved")} | {
        "task_status": pre["task_status"],
        "num_attempts": pre["num_attempts"],
    }
    if pre.get("ti_status"):
        state |= {
            "ti_status": pre["ti_status"],
            "distributor_id": "D-0",
            "nodename": "node-0",
            "process_group_id": 100,
            "report_by": pre["report_by"],
            "stdout": "/pre/out",
            "stderr": "/pre/err",
            "stdout_log": None,
            "stderr_log": None,
        }
    others = {
        row["ti"]: (row["ti_status"], row["task_status"], row["num_attempts"])
        for row in case.get("pre_extra") or []
        if row["ti"]
    }
    return Outcome(http=http, reply=refusal(case, http), state=state, others=others)


def said(case: Case) -> dict[str, Any]:
    """The fields of the instance that the body sets, in the recording's terms."""
    body = case["body"]
    names = {"distributor_id", "nodename", "process_group_id", "stdout", "stderr", "stdout_log", "stderr_log"}
    return {
        name: int(body[name]) if name == "process_group_id" else body[name]
        for name in names & body.keys()
        if body[name] is not None
    }


def _moved(case: Case, instance: str, task: str) -> dict[str, Any]:
    pre = case["pre"]
    return {
        "ti_status": instance,
        "task_status": task,
        "status_date_moved": instance != pre["ti_status"],
        "task_status_date_moved": task != pre["task_status"],
    }


def framework(case: Case) -> Outcome | None:
    """API Gateway's own answers: 403 for a method that there is not; a trailing slash does not matter."""
    if case["http_status"] == 405:
        return untouched(case, 403)
    return _as_plain(case) if case["http_status"] == 307 else None


UNKNOWN: Final = {"unknown-ti", "negative-ti", "zero-ti", "huge-ti", "unknown-step", "unknown-batch"}


def departure_1(case: Case) -> Outcome | None:
    """An unknown task instance, or step, is a 404."""
    return untouched(case, 404) if label(case) in UNKNOWN else None


BODIES: Final = {"array-body", "array-body-nonempty", "null-body", "number-body", "string-body"}
"""That are no objects."""
ILL_FORMED: Final = NO_JSON | NO_FIELDS | MESSAGES | BODIES | FIELDS.keys() | {"null-value"}
FITS_ALL_THE_SAME: Final = {("log_done", "empty-object"), ("log_done", "nan")}
"""Every field of log_done is optional."""


def departure_2(case: Case) -> Outcome | None:
    """A missing or ill-typed field is a 422, a body that is no JSON a 400."""
    if label(case) not in ILL_FORMED or (case["route"], label(case)) in FITS_ALL_THE_SAME:
        return None
    return untouched(case, 400 if label(case) in NO_JSON else 422)


def departure_3(case: Case) -> Outcome | None:
    """log_unknown_error on an instance that is not overdue: nothing moves, and the message says so."""
    if case["route"] != "log_unknown_error" or case["pre"]["report_by"] == "late" or departure_10(case):
        return None
    plain = untouched(case, 200)
    status = case["pre"]["ti_status"]
    return replace(plain, reply={"message": not_overdue(status)}, state=plain.state | said(case))


def not_overdue(status: str) -> str:
    """What log_unknown_error says then."""
    return f"The task instance is {status} and it is not overdue: it reported meanwhile, or was never due"


def departure_4(case: Case) -> Outcome | None:
    """What a heartbeat does not say stays as it is."""
    if case["route"] != "log_report_by" or label(case) not in {"increment-only", "stdout-null"}:
        return None
    was = recorded(case)
    kept = {name: untouched(case, 200).state[name] for name in ("distributor_id", "stdout", "stderr")}
    return replace(was, state=was.state | kept | said(case))


def departure_5(case: Case) -> Outcome | None:
    """What a worker node says of an instance in T is believed: T passes through R in the same write."""
    worker = {
        "log_report_by": "R",
        "log_done": "D",
        "log_error_worker_node": (case.get("body") or {}).get("error_state"),
    }
    pre, target = case["pre"], worker.get(case["route"])
    if pre.get("ti_status") != "T" or pre["task_status"] not in {"I", "O", "R"} or target not in {*TASK_AFTER, "R"}:
        return None
    if label(case) in ILL_FORMED or departure_10(case):
        return None
    left = _left(case)
    task = "R" if target == "R" else TASK_AFTER[target] if left or target == "D" else "F"
    was = recorded(case)
    return replace(was, reply={"status": target}, state=was.state | _moved(case, target, task))


def departure_7(case: Case) -> Outcome | None:
    """A worker node takes an instance over that is R and overdue: it has a new deadline."""
    if case["route"] != "log_running" or case["pre"]["ti_status"] != "R" or label(case) in ILL_FORMED | UNKNOWN:
        return None
    was = recorded(case)
    return replace(was, state=was.state | {"report_by": "future", "report_by_moved": True}) if was.http == 200 else None


def departure_8(case: Case) -> Outcome | None:
    """A batch heartbeat for nobody answers {}."""
    return replace(recorded(case), reply={}) if label(case) == "empty-list" else None


HARD_TO_STORE: Final = {
    "1mb",
    "emoji",
    "message-1mb",
    "message-200k-accents",
    "message-65536",
    "message-emoji",
    "message-surrogate",
    "node-emoji",
}


def departure_9(case: Case) -> Outcome | None:
    """Any text is stored, with the move or not at all."""
    return _as_plain(case) if label(case) in HARD_TO_STORE else None


def _as_plain(case: Case) -> Outcome:
    """What the usual request does, with these texts or this path. Attempts are left.

    What is not overdue has a departure of its own, so triage's two reports do the same.
    """
    body, pre = case["body"], case["pre"]
    route = case["route"].replace("_unknown_", "_known_")
    name = ".".join([route, *([body["error_state"]] if "error_state" in body else [])])
    alike = f"{name}/{pre['ti_status']}"
    _, outcome = expected(_usual().get(f"{alike}/{pre['task_status']}") or _usual()[alike])
    words = next((body[name] for name in MESSAGE_FIELDS if name in body), None)
    state = outcome.state | said(case) | {"num_attempts": pre["num_attempts"]}
    follows = TASK_AFTER.get(state["ti_status"], state["task_status"])
    state["task_status"] = follows if state["status_date_moved"] else pre["task_status"]
    return replace(outcome, state=state, errors=[words for _ in outcome.errors])


MESSAGE_FIELDS: Final = ("error_description", "error_message", "no_id_err_msg")


@cache
def _usual() -> dict[str, Case]:
    """Those of the state grid, by what is said and the statuses, or the instance's; with attempts left, if there is."""
    of_states = sorted((case for case in read("matrix") if case["group"] == "state"), key=_left)
    parts = [(case["case_id"].split("/"), case) for case in of_states]
    return {"/".join(part[:length]): case for length in (2, 3) for part, case in parts}


def _left(case: Case) -> bool:
    return bool(case["pre"]["num_attempts"] < case["pre"]["max_attempts"])


def departure_10(case: Case) -> Outcome | None:
    """error_state is E, U, Z or F; anything else is a 422."""
    if case["route"] not in {"log_error_worker_node", "log_known_error", "log_unknown_error"}:
        return None
    body = case.get("body")
    if not isinstance(body, dict) or "error_state" not in body or label(case) in UNKNOWN:
        return None
    return untouched(case, 422) if body["error_state"] not in ["E", "U", "Z", "F"] else None


def departure_11(case: Case) -> Outcome | None:
    """instantiate moves Q with its task in Q only; an I whose task is I is answered again and not moved."""
    pre = case["pre"]
    if case["route"] != "instantiate_task_instances" or case["http_status"] != 200:
        return None
    stands = pre["ti_status"] + pre["task_status"]
    if stands in {"QQ", "II"}:
        return replace(recorded(case), state=recorded(case).state | {"status_date_moved": stands == "QQ"})
    return replace(untouched(case, 200), reply={"task_instance_batches": []})


def departure_12(case: Case) -> Outcome | None:
    """Arrays move in pairs: I with its task in I to O; K to F, its task with it from I, O and R."""
    pre, was = case["pre"], recorded(case)
    if case["route"] not in {"transition_to_launched", "transition_to_killed"} or was.http != 200:
        return None
    if was.state == untouched(case, 200).state or label(case) in ILL_FORMED:
        return None
    if case["route"] == "transition_to_launched":
        moves = pre["ti_status"] == "I" and pre["task_status"] == "I"
        return was if moves else replace(untouched(case, 200), reply={})
    task = "F" if pre["task_status"] in "IOR" else pre["task_status"]
    others = {
        name: ("F", "F", attempts) if (instance, stays) == ("F", "I") else (instance, stays, attempts)
        for name, (instance, stays, attempts) in was.others.items()
    }
    return replace(was, state=was.state | _moved(case, "F", task), others=others)


def departure_13(case: Case) -> Outcome | None:
    """A distributor id for what is no instance is ignored."""
    if label(case) not in {"negative-key", "float-key"}:
        return None
    return replace(untouched(case, 200), reply={"success": True})


def departure_14(case: Case) -> Outcome | None:
    """A task of another array is not queued; its status is in the reply."""
    task = case["pre"]["task_status"]
    foreign = {"unknown-array": [], "huge-array": [], "wrong-array": [], "foreign-task": ["$TASK"]}
    if case["route"] != "queue_task_batch" or label(case) not in foreign:
        return None
    if label(case) == "foreign-task":
        was = recorded(case)
        return replace(was, reply={"tasks_by_status": {"Q": ["$TASK"], "G": ["$TASK2"]}}, made=was.made[:1])
    return replace(untouched(case, 200), reply={"tasks_by_status": {task: ["$TASK"]}})


def departure_17(case: Case) -> Outcome | None:
    """There are no columns for a text or an interval to be too long for."""
    return _as_plain(case) if label(case) in {"dist-21chars", "node-151", "node-151chars", "inc-1e7"} else None


def departure_21(case: Case) -> Outcome | None:
    """A task goes with its latest attempt. An earlier one moves alone."""
    before, was = case["pre"]["task_status"], recorded(case)
    later = {row["ti"] for row in case.get("pre_extra") or [] if row["ti"] and row["task"] == "$TASK"}
    if not later or was.state["task_status"] == before or was.made:
        return None
    others = {ti: (status, before if ti in later else task, n) for ti, (status, task, n) in was.others.items()}
    return replace(was, state=was.state | {"task_status": before, "task_status_date_moved": False}, others=others)


def departure_24(case: Case) -> Outcome | None:
    """A distributor id of a batch that is null or empty is ignored; the others are stored."""
    if case["route"] != "array_log_distributor_id" or label(case) not in {"null-value", "empty-value"}:
        return None
    return replace(untouched(case, 200), reply={"success": True})


DEPARTURES: Final[dict[str, Callable[[Case], Outcome | None]]] = {
    "framework": framework,
    "1": departure_1,
    "10": departure_10,
    "24": departure_24,
    "2": departure_2,
    "3": departure_3,
    "4": departure_4,
    "5": departure_5,
    "7": departure_7,
    "8": departure_8,
    "9": departure_9,
    "11": departure_11,
    "12": departure_12,
    "13": departure_13,
    "14": departure_14,
    "17": departure_17,
    "21": departure_21,
}
"""In the order in which they are looked at. 6, 15 and 16 need more than one request (docs/conformance.md)."""


def expected(case: Case) -> tuple[str | None, Outcome]:
    """What Lockstep does, and the number of the departure if that is not what Jobmon did."""
    was = recorded(case)
    for number, departure in DEPARTURES.items():
        outcome = departure(case)
        if outcome is not None and outcome != was:
            return number, outcome
    return None, was
