"""The task that fails: each attempt in another way, until it has none left."""

from ops.verify.binding import ATTEMPTS, FAILS, command_of
from ops.verify.session import Attempt, Session
from ops.verify.steps import NODE, instantiate, launch, queue, run
from sim import requests

OVERDUE = -1
"""A next report that is due before it is asked for."""


def check_failure(session: Session) -> None:
    """Let every attempt fail."""
    _fail_by_command(session)
    _fail_to_submit(session)
    _fail_by_resources(session)
    _fail_silently(session)
    task_id = session.bound.tasks[FAILS]
    session.checks.equal(
        f"after {ATTEMPTS[FAILS]} attempts the task is not queued again", session.queue(task_id), {"F": [task_id]}
    )


def _fail_by_command(session: Session) -> None:
    checks, why = session.checks, "lockstep-verify: the command fails"
    attempt = queue(session, FAILS, 1)
    instantiate(session, attempt)
    launch(session, attempt)
    run(session, attempt, command_of(FAILS))
    for sentence in ("its failure is answered ERROR (E)", "the same failure reported again is answered E"):
        failed = session.api.send(requests.log_error(attempt.task_instance_id, NODE, "E", why))
        checks.require(sentence, failed.value("status"), "E")
    session.check_pair("the attempt ends in ERROR and the task may try again", attempt, "E", "G")
    checks.equal("the failure stands in the error log once", session.errors(attempt), [why])


def _fail_to_submit(session: Session) -> None:
    attempt = queue(session, FAILS, 2)
    instantiate(session, attempt)
    request = requests.log_no_distributor_id(attempt.task_instance_id, "lockstep-verify: not accepted")
    reply = session.api.send(request)
    session.checks.equal("the distributor reports that the cluster gave no id", reply.value("message"), "")
    session.check_pair("the attempt ends in NO_DISTRIBUTOR_ID and the task may try again", attempt, "W", "G")


def _fail_by_resources(session: Session) -> None:
    attempt = queue(session, FAILS, 3)
    instantiate(session, attempt)
    launch(session, attempt)
    reply = _triage(session, attempt, "Z", known=True)
    session.checks.equal("triage reports that it ran out of resources", reply, "")
    session.check_pair("the attempt ends in RESOURCE_ERROR and the task adjusts its resources", attempt, "Z", "A")


def _fail_silently(session: Session) -> None:
    attempt = queue(session, FAILS, 4)
    instantiate(session, attempt)
    launch(session, attempt, OVERDUE)
    reply = _triage(session, attempt, "U", known=False)
    session.checks.equal("triage reports that it never started", reply, "")
    session.check_pair("the last attempt ends in UNKNOWN_ERROR and the task in ERROR_FATAL", attempt, "U", "F")


def _triage(session: Session, attempt: Attempt, end: str, *, known: bool) -> object:
    """Why nothing moved; empty if it moved."""
    request = requests.log_triaged(attempt.task_instance_id, end, f"lockstep-verify: it ended in {end}", known=known)
    return session.api.send(request).value("message")
