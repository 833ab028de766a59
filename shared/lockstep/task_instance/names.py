"""Identify the sender of a report: compare its names with those of the claim on the instance.

A claim names the worker node: the job's id, the host and the process. A heartbeat names the job only; the report of an
end names job and host. A name that one side lacks contradicts nothing. An instance keeps digests of the claim's names
apart from distributor_id and nodename, which later reports may write in another form:
docs/decisions/0034-who-reports.md.
"""

from typing import Final

from pynamodb.expressions.condition import Condition

from lockstep import text
from lockstep.fsm.pair_state import Names, Reporter
from lockstep.fsm.reports import CLAIMED, RESTART_SECONDS, RIVAL_SECONDS, ReportRule
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task_instance.item import TaskInstance
from lockstep.task_instance.report import ReportedFields

_RIVALS_FOR: Final = {Reporter.CLAIMANT: RIVAL_SECONDS, Reporter.RESTART: RESTART_SECONDS, Reporter.OTHER: 0.0}
"""Seconds after a claim in which another one comes from a rival, by who sends it."""
_NO_WORKER_JOB: Final = TaskInstance.worker_job.does_not_exist()
_NO_WORKER_NODE: Final = TaskInstance.worker_node.does_not_exist()
_NOT_LAUNCHED: Final = TaskInstance.launched_as.does_not_exist()


def name(value: str | None) -> str | None:
    """The digest that stands for a name; None for None."""
    return None if value is None else text.digest(value)


def reporter(rule: ReportRule, fields: ReportedFields, instance: TaskInstance) -> Reporter:
    """Identify the sender of a report with these fields."""
    if rule.claims:
        return _claiming(fields, instance)
    if rule.names is Names.WORKER:
        known = _may_be(fields.distributor_id, instance.worker_job) and _may_be(fields.nodename, instance.worker_node)
    elif rule.names is Names.JOB:
        known = _may_be(fields.distributor_id, instance.launched_as, instance.worker_job)
    else:
        known = True
    return Reporter.CLAIMANT if known else Reporter.OTHER


def not_contradicted(condition: Condition, names: Names, fields: ReportedFields) -> Condition:
    """Add what `reporter` compares: the names in the fields are those of the claim, as far as both are known."""
    job, node = name(fields.distributor_id), name(fields.nodename)
    if names is Names.JOB and job is not None:
        condition &= _NOT_LAUNCHED | (TaskInstance.launched_as == job) | (TaskInstance.worker_job == job)
    if names is Names.WORKER and job is not None:
        condition &= _NO_WORKER_JOB | (TaskInstance.worker_job == job)
    if names is Names.WORKER and node is not None:
        condition &= _NO_WORKER_NODE | (TaskInstance.worker_node == node)
    return condition


def is_just_claimed(who: Reporter, instance: TaskInstance, at: float) -> bool:
    """Whether a claim at this time follows the last one too closely to come from the same worker node."""
    claimed_at: float | None = instance.claimed_at
    return claimed_at is not None and at < claimed_at + _RIVALS_FOR[who]


def _may_be(named: str | None, *known: str | None) -> bool:
    """Whether a name may have one of the known digests. If the first digest is None, nothing is known."""
    return named is None or known[0] is None or name(named) in known


def _claiming(fields: ReportedFields, instance: TaskInstance) -> Reporter:
    """Identify the sender of a claim. A seeded instance has no claim: while it runs, its own names stand for one."""
    claimed_at: float | None = instance.claimed_at
    seeded = claimed_at is None
    if seeded and TaskInstanceStatus(instance.status) not in CLAIMED:
        return Reporter.CLAIMANT
    job = name(instance.distributor_id) if seeded else instance.worker_job
    node = name(instance.nodename) if seeded else instance.worker_node
    if not _may_be(fields.distributor_id, job):
        return Reporter.OTHER
    if (name(fields.nodename), fields.process_group_id) == (node, instance.process_group_id):
        return Reporter.CLAIMANT
    restarted = not seeded and fields.distributor_id is not None and job is not None
    return Reporter.RESTART if restarted else Reporter.OTHER
