"""The task that succeeds: from queued to done, with a rival worker, lost replies and late reports."""

import time
from typing import Final

from ops.verify.binding import SUCCEEDS, command_of
from ops.verify.session import REPORT_SECONDS, Attempt, Session
from ops.verify.steps import NODE, beat, claim, instantiate, queue
from sim import requests

OUTPUT = "lockstep-verify was here\n"
LATE_FAILURE = "lockstep-verify: a failure that comes after the end"


def check_run_starts(session: Session) -> None:
    """Move the workflow run until it runs."""
    for status, name in (("B", "BOUND"), ("I", "INSTANTIATED"), ("O", "LAUNCHED"), ("R", "RUNNING")):
        session.checks.require(f"the workflow run moves to {name} ({status})", session.move_run(status), status)
    heartbeat = session.api.send(requests.beat_run(session.bound.workflow_run_id, REPORT_SECONDS))
    session.checks.equal("its client's heartbeat finds it RUNNING (R)", heartbeat.value("status"), "R")


def check_success(session: Session) -> None:
    """Walk the task through its whole life."""
    attempt = queue(session, SUCCEEDS, 1)
    session.check_pair("the task instance and its task are QUEUED", attempt, "Q", "Q")
    instantiate(session, attempt)
    session.check_pair("both move from QUEUED to INSTANTIATED", attempt, "I", "I")
    instantiate(session, attempt, "the distributor asks again and is answered the same")
    _launch_batch(session, attempt)
    _start(session, attempt)
    _heartbeats(session, attempt)
    _finish(session, attempt)
    _late_reports(session, attempt)
    _polls(session, attempt)


def _launch_batch(session: Session, attempt: Attempt) -> None:
    api, checks, array_id = session.api, session.checks, session.bound.array_id
    launched = api.send(requests.launch(array_id, attempt.batch_num, REPORT_SECONDS))
    checks.equal("the whole batch is launched", launched.value(), {})
    session.check_pair("both move from INSTANTIATED to LAUNCHED", attempt, "O", "O")
    ids = api.send(requests.log_distributor_ids(array_id, {attempt.task_instance_id: "lockstep-verify-7"}))
    checks.equal("the cluster's ids of a batch are stored", ids.value(), {"success": True})
    beaten = api.send(requests.beat_launched([attempt.task_instance_id], REPORT_SECONDS))
    checks.equal("the distributor's heartbeat for a batch is taken", beaten.value(), {})
    view = api.send(requests.get_instance(attempt.task_instance_id))
    seen = view.value("task_instance", "distributor_id")
    checks.equal("the cluster's id reads back", seen, "lockstep-verify-7")


REPEAT_SECONDS: Final = 1.0
"""Jobmon's client repeats a lost claim after this time at the earliest: docs/decisions/0034-who-reports.md."""


def _start(session: Session, attempt: Attempt) -> None:
    checks, command = session.checks, command_of(SUCCEEDS)
    checks.require("a worker node is told to run the command (R)", claim(session, attempt), ("R", command))
    session.check_pair("both move from LAUNCHED to RUNNING", attempt, "R", "R")
    checks.equal("a worker node with the same names at the same moment is a rival (K)", claim(session, attempt)[0], "K")
    time.sleep(REPEAT_SECONDS)
    checks.equal("the same worker node asks again a second later and is told R again", claim(session, attempt)[0], "R")
    rival = claim(session, attempt, f"{NODE}-rival", 2)
    checks.equal("a rival worker node is told to stop (K)", rival[0], "K")
    session.check_pair("the rival changes nothing", attempt, "R", "R")


def _heartbeats(session: Session, attempt: Attempt) -> None:
    for which in ("first", "second"):
        session.checks.equal(f"its {which} heartbeat is answered RUNNING (R)", beat(session, attempt), "R")


def _finish(session: Session, attempt: Attempt) -> None:
    checks = session.checks
    done = session.api.send(requests.log_done(attempt.task_instance_id, NODE, stdout_log=OUTPUT))
    checks.require("the worker node reports the end and is told DONE (D)", done.value("status"), "D")
    session.check_pair("both move from RUNNING to DONE", attempt, "D", "D")
    view = session.api.send(requests.get_instance(attempt.task_instance_id))
    seen = view.value("task_instance", "nodename"), view.value("task_instance", "stdout_log")
    checks.equal("where it ran and what it printed read back", seen, (NODE, OUTPUT))
    checks.equal("it has no error entry", session.errors(attempt), [])


def _late_reports(session: Session, attempt: Attempt) -> None:
    checks = session.checks
    again = session.api.send(requests.log_done(attempt.task_instance_id, NODE))
    checks.equal("the end reported again gives 200 and DONE (D)", again.value("status"), "D")
    late = session.api.send(requests.log_error(attempt.task_instance_id, NODE, "E", LATE_FAILURE))
    checks.equal("a failure reported after the end gives 200 and DONE (D)", late.value("status"), "D")
    checks.equal("a heartbeat after the end gives 200 and DONE (D)", beat(session, attempt), "D")
    session.check_pair("late reports move nothing", attempt, "D", "D")
    checks.equal("the late failure stands in the error log, once", session.errors(attempt), [LATE_FAILURE])


def _polls(session: Session, attempt: Attempt) -> None:
    run_id = session.bound.workflow_run_id
    seen = session.api.send(requests.poll(run_id, "R", [attempt.task_instance_id])).value("status_updates", "D")
    session.checks.equal("the distributor's poll learns that it is DONE", seen, [attempt.task_instance_id])
    swept = session.api.send(requests.sweep(run_id))
    session.checks.equal("the sweep for overdue instances is taken", swept.value(), {})
    session.check_pair("the sweep leaves a task that is done", attempt, "D", "D")
