"""A bounded walk, and proof that it can fail: each deliberate mistake in the rules is found by it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from lockstep import advance, arrays, queueing, starting, store, sweeping, syncing, terminating, text, transitions
from lockstep.statuses import TaskInstanceStatus, TaskStatus
from tests.model.machine import walk

TI, T = TaskInstanceStatus, TaskStatus

BOUNDED = settings(
    max_examples=24,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def test_the_api_does_as_the_oracle_says() -> None:
    tally = walk(BOUNDED)
    assert tally.examples >= BOUNDED.max_examples
    assert sum(tally.requests.values()) > 3_000
    assert len(tally.situations) > 150
    assert tally.attempts[2] > 20, "tasks that were tried again"
    walked = {pair for kind, pair in tally.edges if kind == "instance" and tally.edges[kind, pair]}
    assert len(walked) >= 18, sorted(walked)


Mistake = Callable[[pytest.MonkeyPatch], Any]


def _an_edge_is_missing(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._VALID, (TI.LAUNCHED, TI.RUNNING))  # noqa: SLF001  # the table is to be wrong


def _a_rare_edge_is_missing(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._VALID, (TI.TRIAGING, TI.ERROR_FATAL))  # noqa: SLF001  # as above


def _an_untimely_report_moves(patch: pytest.MonkeyPatch) -> None:
    patch.delitem(transitions._UNTIMELY, (TI.RUNNING, TI.LAUNCHED))  # noqa: SLF001  # as above
    patch.setitem(transitions._VALID, (TI.RUNNING, TI.LAUNCHED), "")  # noqa: SLF001  # as above
    patch.setattr(transitions, "_TASK_MOVES", transitions._TASK_MOVES | {(T.RUNNING, T.LAUNCHED)})  # noqa: SLF001  # as above


def _attempts_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    right = transitions.get_new_task_status
    patch.setattr(transitions, "get_new_task_status", lambda new, task, **_: right(new, task, attempts_left=True))


def _resources_are_not_adjusted(patch: pytest.MonkeyPatch) -> None:
    right = transitions.get_new_task_status

    def wrong(new: TaskInstanceStatus, task: TaskStatus, *, attempts_left: bool) -> tuple[TaskStatus, TaskStatus]:
        return right(TI.ERROR if new is TI.RESOURCE_ERROR else new, task, attempts_left=attempts_left)

    patch.setattr(transitions, "get_new_task_status", wrong)


def _an_orphan_is_not_laid_to_rest(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "TERMINAL_TASK_STATUSES", frozenset())


def _a_heartbeat_does_not_recover(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "RECOVER", replace(transitions.RECOVER, only_from=frozenset()))


def _two_workers_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transitions, "CLAIMED", frozenset())


def _a_killed_worker_is_told_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(starting, "START", replace(transitions.START, instead=()))


def _triage_does_not_go_through_running(patch: pytest.MonkeyPatch) -> None:
    right = transitions._rule_on_refusal  # noqa: SLF001  # as above
    patch.setattr(
        transitions, "_rule_on_refusal", lambda report, *rest: right(replace(report, through_running=False), *rest)
    )


def _an_error_is_told_twice(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(text, "digest", lambda _: f"{next(numbers):013x}")


def _a_flag_is_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store, "_attention_changes", lambda *_: [])


def _a_promise_is_not_noted(patch: pytest.MonkeyPatch) -> None:
    for module in (advance, starting):
        patch.setattr(module, "expect", lambda *_: None)


def _a_sweep_is_late(patch: pytest.MonkeyPatch) -> None:
    right = sweeping.look_again
    patch.setattr(sweeping, "look_again", lambda instance, at: right(instance, at) + 100)


def _a_hot_resume_kills(patch: pytest.MonkeyPatch) -> None:
    everything = transitions.stopped_by_resume(hot=False)
    for module in (transitions, terminating):
        patch.setattr(module, "stopped_by_resume", lambda **_: everything)


def _steps_are_in_another_order(patch: pytest.MonkeyPatch) -> None:
    right = queueing._add_steps  # noqa: SLF001  # as above

    def wrong(*them: Any, **more: Any) -> None:
        right(*them, **(more | {"tasks": more["tasks"][::-1]}))

    patch.setattr(queueing, "_add_steps", wrong)


def _a_dead_instance_is_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arrays, "_is_taken", lambda _: True)


def _a_successor_is_told_of_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(syncing._Poll, "succeeded_at", 0.0)  # noqa: SLF001  # as above


def _what_is_seen_is_thought_to_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("lockstep.batches.may_become", lambda seen, later: seen is later)


MISTAKES: list[Mistake] = [
    value for name, value in list(globals().items()) if name.startswith("_") and callable(value) and name[1].islower()
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__.strip("_"))
def test_a_mistake_is_found(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    transitions.premise.cache_clear()
    mistake(monkeypatch)
    try:
        with pytest.raises(AssertionError, match=r"should|answers|\bwas\b|\bis\b"):
            walk(BOUNDED)
    finally:
        monkeypatch.undo()
        transitions.premise.cache_clear()
