"""The sender of a report: whether it may report on the instance, and whether it is the worker node that claimed it.

A worker node claims an instance by log_running, before it runs the command. A claim names the worker node: the job's
id, the host and the process. A heartbeat names the job only; the report of an end names job and host. A name that one
side lacks contradicts nothing. A sender whose names contradict those of the last claim is fenced: it is told to stop.
An instance keeps digests of the claim's names apart from distributor_id and nodename, which later reports may write in
another form: docs/decisions/0034-who-reports.md.

Each question is asked as a condition of the write (require_may_report_on, require_claimant), and of an instance that
rejected a write (may_report_on, sender_of).
"""

from typing import Final

from pynamodb.expressions.condition import Condition

from lockstep import text
from lockstep.context import only_run, token
from lockstep.errors import ForbiddenError, NotFoundError
from lockstep.fsm.reports import CLAIMED, RESTART_SECONDS, RIVAL_SECONDS, Names, ReportRule
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import Sender
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.report import ReportedFields

_RIVALS_FOR: Final = {Sender.CLAIMANT: RIVAL_SECONDS, Sender.RESTART: RESTART_SECONDS, Sender.OTHER: 0.0}
"""Seconds after a claim in which another one comes from a rival, by who sends it."""
_NO_WORKER_JOB: Final = TaskInstance.worker_job.does_not_exist()
_NO_WORKER_NODE: Final = TaskInstance.worker_node.does_not_exist()
_NOT_LAUNCHED: Final = TaskInstance.launched_as.does_not_exist()


def _digest(value: str | None) -> str | None:
    """The digest that stands for a name; None for None."""
    return None if value is None else text.digest(value)


def sender_of(rule: ReportRule, fields: ReportedFields, instance: TaskInstance) -> Sender:
    """Identify the sender of a report with these fields."""
    if rule.claims:
        return _claiming(fields, instance)
    if rule.names is Names.WORKER:
        same = _may_be(fields.distributor_id, instance.worker_job) and _may_be(fields.nodename, instance.worker_node)
    elif rule.names is Names.JOB:
        same = _may_be(fields.distributor_id, instance.launched_as, instance.worker_job)
    else:
        same = True
    return Sender.CLAIMANT if same else Sender.OTHER


def require_claimant(condition: Condition, names: Names, fields: ReportedFields) -> Condition:
    """Require what `sender_of` compares: the names in the fields are those of the claim, as far as both are known."""
    job, node = _digest(fields.distributor_id), _digest(fields.nodename)
    if names is Names.JOB and job is not None:
        condition &= _NOT_LAUNCHED | (TaskInstance.launched_as == job) | (TaskInstance.worker_job == job)
    if names is Names.WORKER and job is not None:
        condition &= _NO_WORKER_JOB | (TaskInstance.worker_job == job)
    if names is Names.WORKER and node is not None:
        condition &= _NO_WORKER_NODE | (TaskInstance.worker_node == node)
    return condition


def is_just_claimed(who: Sender, instance: TaskInstance, at: float) -> bool:
    """Whether a claim at this time follows the last one too closely to come from the same worker node."""
    claimed_at: float | None = instance.claimed_at
    return claimed_at is not None and at < claimed_at + _RIVALS_FOR[who]


def _may_be(named: str | None, *known: str | None) -> bool:
    """Whether a name may have one of the known digests. If the first digest is None, nothing is known."""
    return named is None or known[0] is None or _digest(named) in known


def _claiming(fields: ReportedFields, instance: TaskInstance) -> Sender:
    """Identify the sender of a claim. A seeded instance has no claim: while it runs, its own names stand for one."""
    claimed_at: float | None = instance.claimed_at
    seeded = claimed_at is None
    if seeded and TaskInstanceStatus(instance.status) not in CLAIMED:
        return Sender.CLAIMANT
    job = _digest(instance.distributor_id) if seeded else instance.worker_job
    node = _digest(instance.nodename) if seeded else instance.worker_node
    if not _may_be(fields.distributor_id, job):
        return Sender.OTHER
    if (_digest(fields.nodename), fields.process_group_id) == (node, instance.process_group_id):
        return Sender.CLAIMANT
    restarted = not seeded and fields.distributor_id is not None and job is not None
    return Sender.RESTART if restarted else Sender.OTHER


def require_may_report_on(condition: Condition) -> Condition:
    """Require that the caller may report on the instance (may_report_on)."""
    if (run := only_run()) is not None:
        condition &= TaskInstance.workflow_run_id == run
    if token().expired:
        condition &= TaskInstance.claimed_with == token().id
    return condition


def may_report_on(instance: TaskInstance) -> bool:
    """Whether the caller's token is for the instance's run and, if it has expired, claimed the instance."""
    of_run = only_run() in {None, instance.workflow_run_id}
    return of_run and (not token().expired or instance.claimed_with == token().id)


def not_there(instance: InstanceKey) -> NotFoundError | ForbiddenError:
    """The error about an instance that does not exist, or that the caller may not report on."""
    if token().expired:
        return ForbiddenError(f"the token has expired, and task instance {instance.id} was not claimed with it")
    run = only_run()
    if run is None:
        return NotFoundError(f"task instance {instance.id} does not exist")
    return ForbiddenError(f"task instance {instance.id} is not of workflow run {run}, which the token is for")
