"""The task that is stopped while it runs, as a resume of its workflow does."""

from typing import Any

from ops.verify.binding import STOPPED, command_of
from ops.verify.session import Session
from ops.verify.steps import beat, instantiate, launch, queue, run
from sim import requests

ASKS = 5
"""How often a stop is asked for: it finds instances by an index, which may lag, and clients ask again each loop."""


def check_stopping(session: Session) -> None:
    """Stop a task that runs."""
    checks = session.checks
    attempt = queue(session, STOPPED, 1)
    instantiate(session, attempt)
    launch(session, attempt)
    run(session, attempt, command_of(STOPPED))
    checks.require("what runs is told to stop", _stop_until_found(session), 1)
    checks.equal("its heartbeat is answered KILL_SELF (K)", beat(session, attempt), "K")
    killed = session.api.send(requests.kill(session.bound.array_id, attempt.batch_num))
    checks.equal("the distributor reports the batch as killed", killed.value(), {})
    session.check_pair("the stopped attempt and its task end in ERROR_FATAL", attempt, "F", "F")


def stop(session: Session) -> Any:
    """Stop whatever the run has in flight, and return how many instances were stopped."""
    return session.api.send(requests.terminate(session.bound.workflow_run_id)).value("num_terminated")


def _stop_until_found(session: Session) -> Any:
    for _ in range(ASKS - 1):
        if stopped := stop(session):
            return stopped
        session.api.pause()
    return stop(session)
