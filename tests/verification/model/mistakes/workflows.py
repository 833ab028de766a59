"""Mistakes in how a workflow is held, passes from one run to the next, and tells its client what changed."""

from collections.abc import Iterable
from typing import Any, Final

import pytest
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.array import queue
from lockstep.dynamodb.client import update
from lockstep.fsm.statuses import TaskStatus, WorkflowRunStatus
from lockstep.fsm.workflow_run import GIVEN_UP, TAKEN_OVER, followed_by
from lockstep.task.item import told_changes
from lockstep.task_instance import read as reading
from lockstep.task_instance import store
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances
from lockstep.workflow import bind, increase, progress
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import find_workflow
from lockstep.workflow_run import handover, leftovers, lifecycle, link, start_over, sweep
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.terminate import stop
from tests.verification.model.mistakes.mistake import Mistake

Run = WorkflowRunStatus
FAR_AHEAD: Final = 1e12


class _Unconditional:
    """A transaction that forgets the conditions of its updates."""

    def __init__(self, transaction: TransactWrite) -> None:
        self.save = transaction.save
        self._transaction = transaction

    def update(self, item: Any, actions: Any, *_: Any) -> None:
        self._transaction.update(item, actions)


def two_runs_are_linked(patch: pytest.MonkeyPatch) -> None:
    add: Any = link._add_run  # noqa: SLF001  # the product is to be wrong

    def find(workflow_id: int) -> Any:
        workflow = find_workflow(workflow_id)
        if workflow and workflow.workflow_run_id:
            workflow.workflow_run_id, workflow.status = None, "G"
        return workflow

    patch.setattr(link, "find_workflow", find)
    patch.setattr(link, "_add_run", lambda transaction, *rest, **more: add(_Unconditional(transaction), *rest, **more))


def a_repeated_link_is_a_rival(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(link, "_is_repeated", lambda *_: False)


def a_rival_shares_the_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(link, "SOONEST_REPEAT_SECONDS", 0.0)


def a_workflow_without_all_tasks_is_linked(patch: pytest.MonkeyPatch) -> None:
    def find(workflow_id: int) -> Any:
        workflow = find_workflow(workflow_id)
        if workflow:
            workflow.created_date = workflow.created_date or workflow.status_date
        return workflow

    patch.setattr(link, "find_workflow", find)


def a_workflow_stays_behind_its_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "followed_by", lambda target: None if target is Run.ERROR else followed_by(target))


def an_ended_run_holds_its_workflow(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "RUN_ENDED", frozenset())


def a_late_client_holds_its_workflow(patch: pytest.MonkeyPatch) -> None:
    right = handover._end_if_late  # noqa: SLF001  # as above

    def wrong(run: WorkflowRun, number: int) -> Any:
        run.heartbeat_date = None
        return right(run, number)

    patch.setattr(handover, "_end_if_late", wrong)


def a_dead_worker_holds_a_resume_up(patch: pytest.MonkeyPatch) -> None:
    def read(keys: Iterable[InstanceKey], *, consistent: bool) -> dict[InstanceKey, TaskInstance]:
        found = read_instances(keys, consistent=consistent)
        for instance in found.values():
            instance.report_by = FAR_AHEAD
        return found

    for module in (handover, reading):
        patch.setattr(module, "read_instances", read)


def a_resume_leaves_what_an_ended_run_left(patch: pytest.MonkeyPatch) -> None:
    for module in (handover, start_over):
        patch.setattr(module, "stop_leftovers", lambda *_: leftovers.NOTHING)


def a_hot_resume_stops_what_runs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leftovers, "stop", lambda run, **_: stop(run, hot=False, fail_silent=True))


def a_resume_leaves_what_is_silent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leftovers, "stop", lambda run, **how: stop(run, hot=how["hot"]))


def a_hot_resume_replaces_a_cold_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leftovers, "update", lambda key, changes, _: update(key, changes, Workflow.pk.exists()))


def a_cold_resume_lasts_for_ever(patch: pytest.MonkeyPatch) -> None:
    right = leftovers.note_resume

    def wrong(workflow_id: int, resume: Run) -> None:
        workflow = find_workflow(workflow_id)
        right(workflow_id, Run.COLD_RESUME if workflow and workflow.resume == Run.COLD_RESUME else resume)

    patch.setattr(handover, "note_resume", wrong)


def a_workflow_is_resumable_while_a_command_runs(patch: pytest.MonkeyPatch) -> None:
    def read(keys: Iterable[InstanceKey], *, consistent: bool) -> dict[InstanceKey, TaskInstance]:
        found = read_instances(keys, consistent=consistent)
        for instance in found.values():
            instance.claimed_at = None
        return found

    for module in (handover, reading):
        patch.setattr(module, "read_instances", read)


def a_resumed_run_looks_after_its_own_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "_sweep_earlier_runs", lambda _: None)


def a_late_run_is_always_an_error(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handover, "GIVEN_UP", dict.fromkeys(GIVEN_UP, Run.ERROR))


def a_resume_forgets_a_run_that_starts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handover, "TAKEN_OVER", [edge for edge in TAKEN_OVER if edge.source in {Run.BOUND, Run.RUNNING}])


def a_stopped_run_leaves_its_instances(patch: pytest.MonkeyPatch) -> None:
    for module in (lifecycle, handover):
        patch.setattr(module, "terminate_task_instances", lambda _: 0)


def a_run_that_ends_gives_attempts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queue, "MAY_QUEUE", frozenset(Run) - {Run.DONE, Run.ERROR})


def a_resumed_run_is_done_too_soon(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "all_done", lambda _: True)


def a_resumed_run_is_never_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "all_done", lambda _: False)


def a_cleanup_leaves_the_run(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handover, "_end_for_resume", lambda _: False)


def a_resume_starts_a_done_task_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(start_over, "_kept", lambda **_: {TaskStatus.RUNNING})


def a_hot_resume_starts_running_tasks_over(patch: pytest.MonkeyPatch) -> None:
    right = start_over._kept  # noqa: SLF001  # as above
    patch.setattr(start_over, "_kept", lambda **_: right(running=True))


def resources_grow_for_any_failure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(increase, "_short_of_resources", dict)


def the_feed_forgets_a_failure(patch: pytest.MonkeyPatch) -> None:
    forgotten = {TaskStatus.ADJUSTING_RESOURCES}

    def told(task_id: int, status: TaskStatus, at: float) -> list[Action]:
        return [] if status in forgotten else told_changes(task_id, status, at)

    patch.setattr(store, "told_changes", told)


def the_feed_has_no_margin(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(progress, "MARGIN_SECONDS", 0.0)


def a_bound_workflow_keeps_its_old_limit(patch: pytest.MonkeyPatch) -> None:
    right = bind._bind_again  # noqa: SLF001  # as above
    patch.setattr(bind, "_bind_again", lambda number, said: right(number, said._replace(max_concurrently_running=10)))


QUICK: Final[list[Mistake]] = [
    two_runs_are_linked,
    a_workflow_stays_behind_its_run,
    a_late_client_holds_its_workflow,
    a_resume_leaves_what_an_ended_run_left,
    a_resume_starts_a_done_task_over,
    the_feed_forgets_a_failure,
]
OTHERS: Final[list[Mistake]] = [
    a_repeated_link_is_a_rival,
    a_rival_shares_the_run,
    a_workflow_without_all_tasks_is_linked,
    an_ended_run_holds_its_workflow,
    a_late_run_is_always_an_error,
    a_dead_worker_holds_a_resume_up,
    a_resume_forgets_a_run_that_starts,
    a_hot_resume_stops_what_runs,
    a_resume_leaves_what_is_silent,
    a_hot_resume_replaces_a_cold_one,
    a_resumed_run_looks_after_its_own_only,
    a_cold_resume_lasts_for_ever,
    a_workflow_is_resumable_while_a_command_runs,
    a_stopped_run_leaves_its_instances,
    a_run_that_ends_gives_attempts,
    a_resumed_run_is_done_too_soon,
    a_resumed_run_is_never_done,
    a_cleanup_leaves_the_run,
    a_hot_resume_starts_running_tasks_over,
    resources_grow_for_any_failure,
    the_feed_has_no_margin,
    a_bound_workflow_keeps_its_old_limit,
]
