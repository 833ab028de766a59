"""From a report and a pair state to a decision: the ruling, and the guard under which that ruling holds.

A transition does not read before it writes. It assumes a pair state, rules on it, and sends the write with a guard.
Example, FINISH (log_done):

* The first write assumes RUNNING with its task RUNNING. The ruling is a move to DONE. It is the same from KILL_SELF,
  and from TRIAGING, which passes through RUNNING because the worker node itself reports. So the guard is: instance
  status IN (K, R, T), task status IN (R,), and the attempt is the task's latest.
* DynamoDB rejects the write and returns each item whose own condition failed: here the instance, in UNKNOWN_ERROR. The
  task keeps its assumed state. Now the ruling is a refusal (untimely). The second write moves nothing and stores the
  reported fields; its guard is: instance status IN (U,). A refusal with no fields to store needs no second write.

A guard may also hold whether attempts are left (an error: num_attempts < max_attempts), and that report_by has passed
(a sweep: report_by < now).
"""

from functools import cache
from typing import NamedTuple

from lockstep.fsm.pair_state import Guard, PairState, Reporter
from lockstep.fsm.reports import CLAIMED, ReportRule, concerns_names, rule
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Refusal, Ruling


class Decision(NamedTuple):
    """A ruling on a report, and the guard under which it holds."""

    ruling: Ruling
    guard: Guard


@cache
def decide(report: ReportRule, state: PairState) -> Decision:
    """Rule on a report, with the widest guard found under which the ruling is the same.

    A guard is wide so that the first write lands from every status that leads to the same outcome. It is narrow where
    the caller is told the status: a refusal's guard holds one instance status. So does the guard of a claim on an
    instance that a worker node has claimed, because that ruling depends on report_by too. Rulings are compared without
    their reasons: K, R and T become DONE for different reasons by the same write.
    """
    ruling = rule(report, state)
    may_contradict = state.reporter is Reporter.CLAIMANT and concerns_names(report, state.task_instance)
    is_claimed = report.claims and state.task_instance in CLAIMED
    sources = (
        frozenset({state.task_instance})
        if isinstance(ruling, Refusal) or is_claimed
        else _sources_alike(report, state, ruling)
    )
    tasks = frozenset(task for task in TaskStatus if all(_is_same(report, state, ruling, ti, task) for ti in sources))
    pairs = [(ti, task) for ti in sources for task in tasks]
    attempts_matter = not all(
        _is_same(report, state._replace(attempts_left=not state.attempts_left), ruling, *pair) for pair in pairs
    )
    later_matters = not all(
        _is_same(report, state._replace(superseded=not state.superseded), ruling, *pair) for pair in pairs
    )
    return Decision(
        ruling,
        Guard(
            task_instance=sources,
            task=tasks if len(tasks) < len(TaskStatus) else None,
            attempts_left=state.attempts_left if attempts_matter else None,
            superseded=state.superseded if later_matters else None,
            overdue=report.if_overdue and state.overdue,
            none_due_ahead=is_claimed and not state.not_yet_due,
            same_claim=is_claimed,
            names=report.names if may_contradict else None,
        ),
    )


def _sources_alike(report: ReportRule, state: PairState, ruling: Ruling) -> frozenset[TaskInstanceStatus]:
    """The instance statuses from which the ruling is the same, without those in which a claim depends on report_by."""
    candidates = set(TaskInstanceStatus) - (CLAIMED if report.claims else frozenset())
    return frozenset(ti for ti in candidates if _is_same(report, state, ruling, ti, state.task))


def _is_same(
    report: ReportRule, state: PairState, ruling: Ruling, task_instance: TaskInstanceStatus, task: TaskStatus
) -> bool:
    return rule(report, state._replace(task_instance=task_instance, task=task)) == ruling
