"""Decide on a report in a pair state: the ruling, and the guard under which that ruling holds.

A transition does not read before it writes. It assumes a pair state, rules on it, and sends the write with a guard.
Example, FINISH (log_done):

* The first write assumes RUNNING with its task RUNNING. The ruling is a move to DONE. The guard is: instance status IN
  (R,), task status IN (R,), the attempt is the task's latest, and the names in the report are the claim's.
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
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import Move, Ruling


class Decision(NamedTuple):
    """A ruling on a report, and the guard under which it holds."""

    ruling: Ruling
    guard: Guard


@cache
def decide(report: ReportRule, state: PairState) -> Decision:
    """Rule on a report, with the guard under which the ruling is the same.

    A guard holds one instance status, so the log can say what moved from where. Only a report that comes in two
    statuses as a matter of course (ReportRule.usual) has a guard for both where they lead to the same outcome. Of the
    task, a guard holds all that leads to the ruling. Rulings are compared without their reasons.
    """
    ruling = rule(report, state)
    usual = report.usual if isinstance(ruling, Move) and state.task_instance in report.usual else frozenset()
    sources = frozenset(
        {state.task_instance, *(ti for ti in usual if rule(report, state._replace(task_instance=ti)) == ruling)}
    )
    may_contradict = state.reporter is Reporter.CLAIMANT and concerns_names(report, state.task_instance)
    is_claimed = report.claims and state.task_instance in CLAIMED
    pairs = [[state._replace(task_instance=ti, task=task) for ti in sources] for task in TaskStatus]
    same = [states for states in pairs if all(rule(report, each) == ruling for each in states)]
    tasks = frozenset(states[0].task for states in same)
    alike = [each for states in same for each in states]
    attempts_matter = any(
        rule(report, each._replace(attempts_left=not state.attempts_left)) != ruling for each in alike
    )
    later_matters = any(rule(report, each._replace(superseded=not state.superseded)) != ruling for each in alike)
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
