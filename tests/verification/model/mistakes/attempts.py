"""Mistakes in how attempts and their tasks move, and in what a run does with them."""

from itertools import count
from typing import Any, Final

from lockstep import text
from lockstep.array import portions, queue
from lockstep.fsm import guards, reports, transitions
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance import claim, heartbeat, store
from lockstep.workflow_run import instantiate, poll, sweep, terminate
from tests.verification.model.mistakes.mistake import Mistake, around, both, instead, without

TI, T = TaskInstanceStatus, TaskStatus


def _without_resources(right: Any) -> Any:
    def wrong(new: TaskInstanceStatus, task: TaskStatus, *, attempts_left: bool) -> Any:
        return right(TI.ERROR if new is TI.RESOURCE_ERROR else new, task, attempts_left=attempts_left)

    return wrong


def _numbered(_: Any) -> Any:
    numbers = count()
    return lambda _: f"{next(numbers):013x}"


QUICK: Final[dict[str, Mistake]] = {
    "an_edge_is_missing": without(transitions._VALID, (TI.LAUNCHED, TI.RUNNING)),  # noqa: SLF001  # the table is to be wrong
    "an_untimely_report_moves": both(
        without(transitions._UNTIMELY, (TI.RUNNING, TI.LAUNCHED)),  # noqa: SLF001  # as above
        lambda patch: patch.setitem(transitions._VALID, (TI.RUNNING, TI.LAUNCHED), ""),  # noqa: SLF001  # as above
        around("_TASK_MOVES", lambda right: right | {(T.RUNNING, T.LAUNCHED): "wrong"}, transitions),
    ),
    "resources_are_not_adjusted": around("get_new_task_status", _without_resources, transitions),
    "a_heartbeat_does_not_recover": instead("RECOVER", reports.RECOVER._replace(only_from=frozenset()), heartbeat),
    "two_workers_run": instead("CLAIMED", frozenset(), reports, guards),
    "a_killed_worker_is_told_nothing": instead("START", reports.START._replace(instead=()), claim),
    "triage_does_not_go_through_running": around(
        "_rule_on_refusal",
        lambda right: lambda report, *rest: right(report._replace(through_running=False), *rest),
        reports,
    ),
    "an_error_is_told_twice": around("digest", _numbered, text),
    "a_flag_is_left": instead("_attention_changes", lambda *_: [], store),
    "steps_are_in_another_order": around(
        "_add_steps",
        lambda right: lambda *them, **more: right(*them, **(more | {"tasks": more["tasks"][::-1]})),
        queue,
    ),
}
"""Found within seconds."""
OTHERS: Final[dict[str, Mistake]] = {
    "a_rare_edge_is_missing": without(transitions._VALID, (TI.TRIAGING, TI.ERROR_FATAL)),  # noqa: SLF001  # as above
    "an_orphan_is_not_laid_to_rest": instead("TERMINAL_TASK_STATUSES", frozenset(), transitions),
    "a_hot_resume_kills": around("stopped_by_resume", lambda right: lambda **_: right(hot=False), reports, terminate),
    "attempts_are_not_counted": around(
        "get_new_task_status",
        lambda right: lambda new, task, **_: right(new, task, attempts_left=True),
        transitions,
    ),
    "a_promise_is_not_noted": instead("expect", lambda *_: None, heartbeat, claim),
    "a_sweep_is_late": around("earliest_overdue", lambda right: lambda ti, at: right(ti, at) + 100, sweep),
    "a_dead_instance_is_taken": instead("_is_repeated", lambda _: True, instantiate),
    "a_successor_is_told_of_all": instead("succeeded_at", 0.0, poll._Poll),  # noqa: SLF001  # as above
    "what_is_seen_is_thought_to_stay": instead("may_become", lambda seen, later: seen is later, portions),
}
