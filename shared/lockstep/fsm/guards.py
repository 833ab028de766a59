"""The guard of a ruling: the pair states in which the ruling on a report is the same, as the condition of its write.

A transition does not read before it writes. It assumes a pair state, rules on it, and sends the write with a guard.
Example, FINISH (log_done):

* The first write assumes RUNNING with its task RUNNING. The ruling is a move to DONE. The guard is: instance status IN
  (R,), task status IN (R,), the attempt is the task's latest, and the names in the report do not contradict the
  claim's.
* DynamoDB rejects the write and returns each item whose own condition failed: here the instance, in UNKNOWN_ERROR. The
  task keeps its assumed state. Now the ruling is a refusal (untimely). The second write moves nothing and stores the
  reported fields; its guard is: instance status IN (U,), and the names. A refusal with no fields to store needs no
  second write if DynamoDB returned all that it depends on.

A guard may also hold whether attempts are left (an error: num_attempts < max_attempts), and that report_by has passed
(a sweep: report_by < now).
"""

from functools import cache
from typing import NamedTuple

from lockstep.fsm.reports import CLAIMED, Names, ReportRule, concerns_names, rule_on
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, PairState, Ruling, Sender


class Guard(NamedTuple):
    """The condition of the write that carries a ruling out.

    It never holds that report_by has not passed: what is ruled because of that changes no status, so its write may land
    although report_by has changed.
    """

    task_instance: frozenset[TaskInstanceStatus]
    """The instance's status is one of these: a single one, or two for a claim."""
    task: frozenset[TaskStatus] | None
    """The task's status is one of these. None: it does not matter."""
    attempts_left: bool | None = None
    """Whether attempts are left. None: it does not matter."""
    superseded: bool | None = None
    """Whether there is a later attempt. None: it does not matter."""
    overdue: bool = False
    """report_by must be set and have passed."""
    not_yet_due: bool | None = None
    """False: report_by must not lie ahead. None: it does not matter."""
    same_claim: bool = False
    """The last claim on the instance must be the one that DynamoDB last returned. With it hold Sender.RESTART and
    just_claimed, which are read off that claim.
    """
    names: Names | None = None
    """The names in the report must not contradict those of the claim. None: they do not matter."""

    @property
    def concerns_task(self) -> bool:
        """Whether the guard has a condition on the task."""
        return (self.task, self.attempts_left, self.superseded) != (None, None, None)


@cache
def decide(rule: ReportRule, state: PairState) -> tuple[Ruling, Guard]:
    """Rule on a report, with the guard under which the ruling is the same.

    A guard holds one instance status, so the log can say what moved from where. Only a report that comes in two
    statuses as a matter of course (ReportRule.usual) has a guard for both where they lead to the same outcome. Of the
    task, it allows every status that leads to the ruling. Rulings are compared without their reasons.
    """
    ruling = rule_on(rule, state)
    sources = _sources(rule, state, ruling)
    alike = _alike(rule, state, sources, ruling)
    tasks = frozenset(each.task for each in alike)
    is_claimed = rule.claims and state.task_instance in CLAIMED
    names_matter = state.sender is Sender.CLAIMANT and concerns_names(rule, state.task_instance)
    attempts_matter = any(
        rule_on(rule, each._replace(attempts_left=not state.attempts_left)) != ruling for each in alike
    )
    later_matters = any(rule_on(rule, each._replace(superseded=not state.superseded)) != ruling for each in alike)
    return (
        ruling,
        Guard(
            task_instance=sources,
            task=tasks if len(tasks) < len(TaskStatus) else None,
            attempts_left=state.attempts_left if attempts_matter else None,
            superseded=state.superseded if later_matters else None,
            overdue=rule.if_overdue and state.overdue,
            not_yet_due=False if is_claimed and not state.not_yet_due else None,
            same_claim=is_claimed,
            names=rule.names if names_matter else None,
        ),
    )


def _sources(rule: ReportRule, state: PairState, ruling: Ruling) -> frozenset[TaskInstanceStatus]:
    """The instance statuses that the guard holds."""
    usual = rule.usual if isinstance(ruling, Move) and state.task_instance in rule.usual else frozenset()
    return frozenset(
        {state.task_instance, *(each for each in usual if rule_on(rule, state._replace(task_instance=each)) == ruling)}
    )


def _alike(
    rule: ReportRule, state: PairState, sources: frozenset[TaskInstanceStatus], ruling: Ruling
) -> list[PairState]:
    """The pair states with each task status that leads to the ruling from all the sources."""
    pairs = [[state._replace(task_instance=source, task=task) for source in sources] for task in TaskStatus]
    return [each for states in pairs for each in states if all(rule_on(rule, other) == ruling for other in states)]
