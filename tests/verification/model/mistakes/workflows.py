"""Mistakes in how a workflow is held, passes from one run to the next, and tells its client what changed."""

from collections.abc import Callable
from typing import Any, Final

from pynamodb.transactions import TransactWrite

from lockstep.array import queue
from lockstep.fsm.statuses import TaskStatus, WorkflowRunStatus
from lockstep.fsm.workflow_run import GIVEN_UP, TAKEN_OVER
from lockstep.task_instance import store
from lockstep.workflow import bind, increase, progress
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import find_workflow
from lockstep.workflow_run import handover, leftovers, lifecycle, link, start_over, sweep
from tests.verification.model.mistakes.mistake import Mistake, around, both, instead

Run = WorkflowRunStatus


class _Unconditional:
    """A transaction that forgets the conditions of its updates."""

    def __init__(self, transaction: TransactWrite) -> None:
        self.save = transaction.save
        self._transaction = transaction

    def update(self, item: Any, actions: Any, *_: Any) -> None:
        self._transaction.update(item, actions)


def _adding_anyway(right: Any) -> Any:
    return lambda transaction, *rest, **more: right(_Unconditional(transaction), *rest, **more)


def _finding(spoil: Callable[[Any], None]) -> Callable[[Any], Any]:
    """A workflow is found otherwise than it stands."""

    def wrongly(find: Any) -> Any:
        def wrong(workflow_id: int) -> Any:
            workflow = find(workflow_id)
            if workflow:
                spoil(workflow)
            return workflow

        return wrong

    return wrongly


def _free(workflow: Workflow) -> None:
    if workflow.workflow_run_id:
        workflow.workflow_run_id, workflow.status = None, "G"


def _bound(workflow: Workflow) -> None:
    workflow.created_date = workflow.created_date or workflow.status_date


def _never_late(right: Any) -> Any:
    def wrong(run: Any, number: int) -> Any:
        run.heartbeat_date = None
        return right(run, number)

    return wrong


def _unclaimed(right: Any) -> Any:
    def wrong(*asked: Any, **how: Any) -> Any:
        found = right(*asked, **how)
        for instance in found.values():
            instance.claimed_at = None
        return found

    return wrong


def _noting_cold(right: Any) -> Any:
    def wrong(workflow_id: int, resume: Run) -> None:
        workflow = find_workflow(workflow_id)
        right(workflow_id, Run.COLD_RESUME if workflow and workflow.resume == Run.COLD_RESUME else resume)

    return wrong


QUICK: Final[dict[str, Mistake]] = {
    "two_runs_are_linked": both(
        around("find_workflow", _finding(_free), link), around("_add_run", _adding_anyway, link)
    ),
    "a_workflow_stays_behind_its_run": around(
        "followed_by", lambda right: lambda target: None if target is Run.ERROR else right(target), lifecycle
    ),
    "a_late_client_holds_its_workflow": around("_end_if_late", _never_late, handover),
    "a_resume_leaves_what_an_ended_run_left": instead(
        "stop_leftovers", lambda *_: leftovers.NOTHING, handover, start_over
    ),
    "a_resume_starts_a_done_task_over": instead("_kept", lambda **_: {TaskStatus.RUNNING}, start_over),
    "the_feed_forgets_a_failure": around(
        "feed_changes",
        lambda right: lambda task, status, at: [] if status == "A" else right(task, status, at),
        store,
    ),
}
OTHERS: Final[dict[str, Mistake]] = {
    "a_repeated_link_is_a_rival": instead("_is_repeated", lambda *_: False, link),
    "a_rival_shares_the_run": instead("SOONEST_REPEAT_SECONDS", 0.0, link),
    "a_workflow_without_all_tasks_is_linked": around("find_workflow", _finding(_bound), link),
    "an_ended_run_holds_its_workflow": instead("RUN_ENDED", frozenset(), lifecycle),
    "a_late_run_is_always_an_error": instead("GIVEN_UP", dict.fromkeys(GIVEN_UP, Run.ERROR), handover),
    "a_dead_worker_holds_a_resume_up": instead("may_report", lambda _: True, leftovers),
    "a_resume_forgets_a_run_that_starts": instead(
        "TAKEN_OVER", [move for move in TAKEN_OVER if move.source in {Run.BOUND, Run.RUNNING}], handover
    ),
    "a_hot_resume_stops_what_runs": around(
        "stop", lambda right: lambda run, **how: right(run, **(how | {"hot": False})), leftovers
    ),
    "a_resume_leaves_what_is_silent": around(
        "stop", lambda right: lambda run, **how: right(run, hot=how["hot"]), leftovers
    ),
    "a_hot_resume_replaces_a_cold_one": around(
        "update", lambda right: lambda key, changes, _: right(key, changes, Workflow.pk.exists()), leftovers
    ),
    "a_resumed_run_looks_after_its_own_only": instead("_sweep_earlier_runs", lambda _: None, sweep),
    "a_cold_resume_lasts_for_ever": around("note_resume", _noting_cold, handover),
    "a_workflow_is_resumable_while_a_command_runs": both(
        around("read_instances", _unclaimed, handover), around("read_instances_of_run", _unclaimed, leftovers)
    ),
    "a_stopped_run_leaves_its_instances": instead("stop", lambda *_, **__: None, lifecycle, handover),
    "a_run_that_ends_gives_attempts": instead("MAY_QUEUE", frozenset(Run) - {Run.DONE, Run.ERROR}, queue),
    "a_resumed_run_is_done_too_soon": instead("all_done", lambda _: True, lifecycle),
    "a_resumed_run_is_never_done": instead("all_done", lambda _: False, lifecycle),
    "a_cleanup_leaves_the_run": instead("_end_for_resume", lambda _: False, handover),
    "a_hot_resume_starts_running_tasks_over": around(
        "_kept", lambda right: lambda **_: right(running=True), start_over
    ),
    "resources_grow_for_any_failure": instead("_short_of_resources", dict, increase),
    "the_feed_has_no_margin": instead("MARGIN_SECONDS", 0.0, progress),
    "a_bound_workflow_keeps_its_old_limit": around(
        "_bind_again",
        lambda right: lambda number, said: right(number, said._replace(max_concurrently_running=10)),
        bind,
    ),
}
