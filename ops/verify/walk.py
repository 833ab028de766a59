"""The whole walk: its parts in order, and the end of its workflow run whatever happens."""

from collections.abc import Callable
from typing import Final

from ops.verify.access import check_access, reach
from ops.verify.api import Api
from ops.verify.binding import ATTEMPTS, bind
from ops.verify.checks import Checks, say
from ops.verify.failure import check_failure
from ops.verify.refusals import check_refusals
from ops.verify.session import Bound, Session, Workflow, new_workflow
from ops.verify.stopping import check_stopping, stop
from ops.verify.success import check_run_starts, check_success

PARTS: Final[tuple[tuple[str, Callable[[Session], None]], ...]] = (
    ("A workflow run starts", check_run_starts),
    ("A task succeeds", check_success),
    ("A task fails, is tried again and ends", check_failure),
    ("A task is stopped", check_stopping),
    ("Bad requests are refused", check_refusals),
)
NOT_CHECKED: Final = (
    "throttling: API Gateway answers 503 past ThrottlingRate, which only a flood of requests shows",
    "API Gateway's own answers to timeouts, oversized bodies and failures of the authorizer",
    "tokens of other scopes, tokens for one workflow run, and tokens that expire",
    "alarms, dashboard, logs, metrics, retention and backups",
)


def walk(api: Api, checks: Checks, token: str) -> None:
    """Make every check.

    Raises:
        UsageError: the walk cannot start.
    """
    asks = reach(api, with_token=bool(token))
    workflow = new_workflow()
    say(f"Verifying {api.url} with workflow {workflow.workflow_id}, whose parts are named {workflow.name}")
    with checks.part("Access"):
        check_access(api, checks, token, asks=asks)
    bound: Bound | None = None
    with checks.part("Binding"):
        bound = bind(api, checks, workflow)
    if bound:
        _walk_through(Session(api, checks, workflow, bound))
    _close(api, workflow, bound, asks=asks)


def _walk_through(session: Session) -> None:
    try:
        for title, part in PARTS:
            with session.checks.part(title):
                part(session)
    finally:
        with session.checks.part("The workflow run ends"):
            _end(session)


def _end(session: Session) -> None:
    """Stop what a broken or interrupted walk left in flight, then end the run, as DONE where the deployment lets it."""
    stop(session)
    seen = session.move_run("D")
    session.checks.equal("the workflow run ends DONE (D)", seen, "D")
    if seen != "D":
        for status in ("E", "A"):
            session.move_run(status)
        return
    session.checks.equal("a workflow run that has ended stays so", session.move_run("R"), "D")


def _close(api: Api, workflow: Workflow, bound: Bound | None, *, asks: bool) -> None:
    say("\nNot checked")
    for line in (*_access_not_checked(api, asks=asks), *NOT_CHECKED):
        say(f"  - {line}")
    say("\nLeft behind (the API deletes nothing; RetentionDays applies to the tasks)")
    made = f"array {bound.array_id}, workflow run {bound.workflow_run_id}" if bound else "whatever was bound above"
    say(f"  - {made}, one set of resources, {len(ATTEMPTS)} tasks with their attempts, all of workflow")
    say(f"    {workflow.workflow_id}: no workflow of Jobmon's has such an id")
    if api.sent_again:
        say(f"\n{api.sent_again} of {api.requests} requests were answered 503 and sent again, as clients do.")


def _access_not_checked(api: Api, *, asks: bool) -> list[str]:
    tls = (
        "TLS: whether old versions are refused (this connection's certificate is valid)"
        if api.url.startswith("https")
        else "TLS: this URL is plain HTTP"
    )
    return [tls] if asks else [tls, "tokens: this deployment asks for none"]
