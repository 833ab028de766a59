"""Mistakes in how attempts and their tasks move, and in what a run does with them."""

from itertools import count
from typing import Any, Final

import pytest

from lockstep import text
from lockstep.array import queue
from lockstep.fsm import guards, reports, transitions
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance import claim, heartbeat, store
from lockstep.workflow_run import instantiate, poll, sweep, terminate
from tests.verification.model.mistakes.mistake import Mistake

TI, T = TaskInstanceStatus, TaskStatus


def an_edge_is_missing(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._VALID, (TI.LAUNCHED, TI.RUNNING))  # noqa: SLF001  # the table is to be wrong


def a_rare_edge_is_missing(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._VALID, (TI.TRIAGING, TI.ERROR_FATAL))  # noqa: SLF001  # as above


def an_untimely_report_moves(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._UNTIMELY, (TI.RUNNING, TI.LAUNCHED))  # noqa: SLF001  # as above
    patch.setitem(transitions._VALID, (TI.RUNNING, TI.LAUNCHED), "")  # noqa: SLF001  # as above
    patch.setattr(transitions, "_TASK_MOVES", transitions._TASK_MOVES | {(T.RUNNING, T.LAUNCHED): "wrong"})  # noqa: SLF001  # as above


def attempts_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    right = transitions.get_new_task_status
    patch.setattr(transitions, "get_new_task_status", lambda new, task, **_: right(new, task, attempts_left=True))


def resources_are_not_adjusted(patch: pytest.MonkeyPatch) -> None:
    right = transitions.get_new_task_status

    def wrong(new: TaskInstanceStatus, task: TaskStatus, *, attempts_left: bool) -> tuple[TaskStatus, TaskStatus]:
        return right(TI.ERROR if new is TI.RESOURCE_ERROR else new, task, attempts_left=attempts_left)

    patch.setattr(transitions, "get_new_task_status", wrong)


def an_orphan_is_not_laid_to_rest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "TERMINAL_TASK_STATUSES", frozenset())


def a_heartbeat_does_not_recover(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(heartbeat, "RECOVER", reports.RECOVER._replace(only_from=frozenset()))


def two_workers_run(patch: pytest.MonkeyPatch) -> None:
    for module in (reports, guards):
        patch.setattr(module, "CLAIMED", frozenset())


def a_killed_worker_is_told_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim, "START", reports.START._replace(instead=()))


def triage_does_not_go_through_running(patch: pytest.MonkeyPatch) -> None:
    right = reports._rule_on_refusal  # noqa: SLF001  # as above
    patch.setattr(
        reports, "_rule_on_refusal", lambda report, *rest: right(report._replace(through_running=False), *rest)
    )


def an_error_is_told_twice(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(text, "digest", lambda _: f"{next(numbers):013x}")


def a_flag_is_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "_attention_changes", lambda *_: [])


def a_promise_is_not_noted(patch: pytest.MonkeyPatch) -> None:
    for module in (heartbeat, claim):
        patch.setattr(module, "expect", lambda *_: None)


def a_sweep_is_late(patch: pytest.MonkeyPatch) -> None:
    right = sweep.next_check
    patch.setattr(sweep, "next_check", lambda instance, at: right(instance, at) + 100)


def a_hot_resume_kills(patch: pytest.MonkeyPatch) -> None:
    everything = reports.stopped_by_resume(hot=False)
    for module in (reports, terminate):
        patch.setattr(module, "stopped_by_resume", lambda **_: everything)


def steps_are_in_another_order(patch: pytest.MonkeyPatch) -> None:
    right = queue._add_steps  # noqa: SLF001  # as above

    def wrong(*them: Any, **more: Any) -> None:
        right(*them, **(more | {"tasks": more["tasks"][::-1]}))

    patch.setattr(queue, "_add_steps", wrong)


def a_dead_instance_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(instantiate, "_is_repeated", lambda _: True)


def a_successor_is_told_of_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(poll._Poll, "succeeded_at", 0.0)  # noqa: SLF001  # as above


def what_is_seen_is_thought_to_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("lockstep.array.attention.may_become", lambda seen, later: seen is later)


QUICK: Final[list[Mistake]] = [
    an_edge_is_missing,
    an_untimely_report_moves,
    resources_are_not_adjusted,
    a_heartbeat_does_not_recover,
    two_workers_run,
    a_killed_worker_is_told_nothing,
    triage_does_not_go_through_running,
    an_error_is_told_twice,
    a_flag_is_left,
    steps_are_in_another_order,
]
"""Found within seconds."""
OTHERS: Final[list[Mistake]] = [
    a_rare_edge_is_missing,
    an_orphan_is_not_laid_to_rest,
    a_hot_resume_kills,
    attempts_are_not_counted,
    a_promise_is_not_noted,
    a_sweep_is_late,
    a_dead_instance_is_taken,
    a_successor_is_told_of_all,
    what_is_seen_is_thought_to_stay,
]
