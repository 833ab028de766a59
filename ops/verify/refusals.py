"""Requests that must be refused, each with its reason and without a change."""

from http import HTTPStatus
from typing import Any

from ops.verify.api import Reply
from ops.verify.binding import FAILS
from ops.verify.session import INSTANCES_PER_TASK, UNKNOWN_TASK, Session
from sim import requests

UNKNOWN_INSTANCE = UNKNOWN_TASK * INSTANCES_PER_TASK + 1


def check_refusals(session: Session) -> None:
    """Check what bad input and unknown ids are answered."""
    _bad_input(session)
    _unknown_ids(session)


def _bad_input(session: Session) -> None:
    api, checks = session.api, session.checks
    path = f"task_instance/{session.bound.tasks[FAILS] * INSTANCES_PER_TASK + 1}"
    before = api.get(path).value()
    for sentence, reply, field in (
        (
            "a missing field gives 422 and is named",
            api.call("POST", f"{path}/log_running", {"process_group_id": 1}),
            "next_report_increment",
        ),
        (
            "an ill-typed field gives 422 and is named",
            api.call("POST", f"{path}/log_report_by", {"next_report_increment": "soon"}),
            "next_report_increment",
        ),
        (
            "an unknown status gives 422 and names its field",
            api.call("POST", f"{path}/log_error_worker_node", {"error_state": "D", "error_description": "no error"}),
            "error_state",
        ),
        (
            "an id that is no number gives 422 and is named",
            api.get("task_instance/lockstep-verify"),
            "task_instance_id",
        ),
    ):
        checks.equal(sentence, _refused_field(reply), (HTTPStatus.UNPROCESSABLE_ENTITY.value, field))
    broken = api.call("POST", f"{path}/log_done", b"{")
    checks.problem("a body that is no JSON gives 400", broken, HTTPStatus.BAD_REQUEST)
    checks.equal("bad input changes nothing", api.get(path).value(), before)


def _refused_field(reply: Reply) -> Any:
    """Status and name of the first refused field; a sentence where the reply has none."""
    try:
        return reply.status, reply.body["errors"][0]["field"]
    except (KeyError, IndexError, TypeError):
        return str(reply)


def _unknown_ids(session: Session) -> None:
    api, checks, unknown = session.api, session.checks, f"task_instance/{UNKNOWN_INSTANCE}"
    not_found = HTTPStatus.NOT_FOUND
    checks.problem("a task instance that does not exist gives 404", api.get(unknown), not_found)
    checks.problem(
        "a report about one that does not exist gives 404", api.call("POST", f"{unknown}/log_done", {}), not_found
    )
    entries = api.send(requests.get_errors(UNKNOWN_INSTANCE))
    checks.problem("the error log of one that does not exist gives 404", entries, not_found)
    step = api.send(requests.find_instance(session.bound.array_id, session.batches, 1))
    checks.problem("an array step that does not exist gives 404", step, not_found)
    run = api.send(requests.move_run(UNKNOWN_INSTANCE, "B"))
    checks.problem("a workflow run that does not exist gives 404", run, not_found)
