"""`make docs`: write the documents that are generated from the code. A test fails if one is out of date.

Most have words of their own, and parts that are made here: the lines between `<!-- made: name -->` and `<!-- end -->`.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from local import decisions, events_document, openapi, prices
from local.gateway import load_handler
from local.tables import Tables, filled, table
from local.template import ROOT, Template
from local.workflow_cost import of_workflows
from lockstep.access.scopes import Scope
from lockstep.fsm.reports import (
    ABANDONED,
    FELL_SILENT,
    FINISH,
    INSTANTIATE,
    KILLED,
    LAUNCH,
    LAUNCH_FAILED,
    NEVER_REPORTED,
    RECOVER,
    START,
    Names,
    ReportRule,
    failure_known,
    failure_of_worker,
    failure_unknown,
    terminate,
)
from lockstep.fsm.statuses import (
    ERROR_STATES,
    TERMINAL_TASK_STATUSES,
    TaskInstanceStatus,
    TaskStatus,
    WorkflowRunStatus,
)
from lockstep.fsm.transitions import TASK_MOVES, UNTIMELY, VALID, TaskTransition, Transition, get_new_task_status
from lockstep.fsm.workflow_run import (
    DONE_AFTER_ALL,
    GIVEN_UP,
    MAY_QUEUE,
    RUN_MOVES,
    TAKEN_OVER,
    WORKFLOW_FOLLOWS,
    RunTransition,
)
from lockstep.routes import ROUTES

S = TypeVar("S", TaskInstanceStatus, WorkflowRunStatus)

OPENAPI: Final = ROOT / "docs/openapi.json"
REPORTS: Final = (
    INSTANTIATE,
    LAUNCH,
    LAUNCH_FAILED,
    START,
    RECOVER,
    FINISH,
    failure_of_worker(TaskInstanceStatus.ERROR),
    failure_known(TaskInstanceStatus.UNKNOWN_ERROR),
    failure_unknown(TaskInstanceStatus.UNKNOWN_ERROR),
    KILLED,
    FELL_SILENT,
    NEVER_REPORTED,
    *ABANDONED.values(),
    terminate(TaskInstanceStatus.RUNNING, hot=False),
    terminate(TaskInstanceStatus.LAUNCHED, hot=True),
)
_SOME_TASK_STATUS: Final = TaskStatus.RUNNING
_NAMED: Final = {
    Names.WORKER: "refused from another worker node than the one that claimed it",
    Names.JOB: "refused about another job than the one that it runs as",
}


def _may_queue() -> Iterator[str]:
    names = ", ".join(status.name for status in WorkflowRunStatus if status in MAY_QUEUE)
    yield f"A workflow is held by one run at most, from LINKING to the run's end. Only a run in {names}"
    yield "gives tasks another attempt."


def _instances() -> Iterator[str]:
    rows = ((status, status.name, _family(status)) for status in TaskInstanceStatus)
    return table(("code", "status", "family"), rows)


def _family(status: TaskInstanceStatus) -> str:
    if status in ERROR_STATES:
        return "error, terminal"
    if status in _ends(TaskInstanceStatus, VALID):
        return "terminal"
    return "legacy: no move leads here" if status not in {transition.source for transition in VALID} else ""


def _codes(statuses: type[TaskStatus] | type[WorkflowRunStatus]) -> Iterator[str]:
    return table(("code", "status"), ((status, status.name) for status in statuses))


def _moves(transitions: Iterable[Transition | TaskTransition | RunTransition]) -> Iterator[str]:
    return table(
        ("from", "to", "why"),
        ((transition.source.name, transition.target.name, transition.reason) for transition in transitions),
    )


def _given_up() -> Iterator[str]:
    return table(("from", "to"), ((source.name, target.name) for source, target in GIVEN_UP.items()))


def _diagram(
    statuses: type[TaskInstanceStatus] | type[TaskStatus] | type[WorkflowRunStatus],
    transitions: Iterable[Transition | TaskTransition | RunTransition],
    ends: Iterable[TaskInstanceStatus] | Iterable[TaskStatus] | Iterable[WorkflowRunStatus],
) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {next(iter(statuses)).name}"
    for transition in transitions:
        yield f"    {transition.source.name} --> {transition.target.name}: {transition.reason}"
    for end in sorted(ends):
        yield f"    {end.name} --> [*]"
    yield "```"


def _ends(statuses: Iterable[S], transitions: Iterable[Transition | RunTransition]) -> set[S]:
    """Return the statuses that some move enters and no move leaves."""
    entered = {transition.target for transition in transitions}
    return {
        status
        for status in statuses
        if status in entered and status not in {transition.source for transition in transitions}
    }


def _task_follows() -> Iterator[str]:
    return table(
        ("the instance moves to", "attempts left: the task passes through, ends in", "none left"),
        (
            (status.name, *(_follows(status, attempts_left=left) for left in (True, False)))
            for status in TaskInstanceStatus
        ),
    )


def _follows(status: TaskInstanceStatus, *, attempts_left: bool) -> str:
    through, end = get_new_task_status(status, _SOME_TASK_STATUS, attempts_left=attempts_left)
    other, _ = get_new_task_status(status, TaskStatus.LAUNCHED, attempts_left=attempts_left)
    return f"{through.name}, {end.name}" if through is other else "stays"


def _reports() -> Iterator[str]:
    rows = ((report.name, report.target.name, beyond) for report in REPORTS for beyond in _exceptions(report))
    return table(("report", "asks for", "and"), rows)


def _exceptions(report: ReportRule) -> Iterator[str]:
    """Yield a sentence for each of a report's exceptions to the table of moves."""
    if report.through_running:
        yield "from TRIAGING through RUNNING in one write: the worker node itself reports"
    for source, target in report.instead:
        yield f"from {source.name} to {target.name} instead"
    if report.settled:
        yield f"nothing in {', '.join(sorted(status.name for status in report.settled))}: it has ended"
    if report.if_overdue:
        yield "only if report_by has passed"
    if report.claims:
        yield "in RUNNING and TRIAGING only for the worker node that holds it, until report_by has passed"
    if report.names:
        yield _NAMED[report.names] + (", once it has ended" if report.may_rename else "")
    if report.again:
        yield f"again, from {report.again[0].name} with its task {report.again[1].name}: the first reply was lost"
    yield from _exceptions_by_status(report)


def _exceptions_by_status(report: ReportRule) -> Iterator[str]:
    if len(report.only_from) < len(TaskInstanceStatus):
        yield f"only from {', '.join(sorted(status.name for status in report.only_from))}"
    if report.task_may_stay:
        yield "even if its task cannot follow: the task then stays"
    if report.unstarted:
        unstarted = ", ".join(sorted(status.name for status in report.unstarted))
        yield f"from {unstarted} through KILL_SELF to ERROR_FATAL at once: there is nothing to kill"


def _workflow_follows() -> Iterator[str]:
    return table(
        ("the run moves to", "the workflow goes to", "from", "because"),
        (
            (each.run.name, each.workflow.name, ", ".join(sorted(source.name for source in each.sources)), each.reason)
            for each in WORKFLOW_FOLLOWS
        ),
    )


_STATE_MACHINE: Final[Tables] = {
    "may_queue": _may_queue,
    "instance_diagram": lambda: _diagram(TaskInstanceStatus, VALID, _ends(TaskInstanceStatus, VALID)),
    "instances": _instances,
    "instance_moves": lambda: _moves(VALID),
    "untimely_moves": lambda: _moves(UNTIMELY),
    "task_diagram": lambda: _diagram(TaskStatus, TASK_MOVES, TERMINAL_TASK_STATUSES),
    "tasks": lambda: _codes(TaskStatus),
    "task_moves": lambda: _moves(TASK_MOVES),
    "task_follows": _task_follows,
    "reports": _reports,
    "run_diagram": lambda: _diagram(WorkflowRunStatus, RUN_MOVES, _ends(WorkflowRunStatus, RUN_MOVES)),
    "runs": lambda: _codes(WorkflowRunStatus),
    "run_moves": lambda: _moves(RUN_MOVES),
    "done_after_all": lambda: _moves(DONE_AFTER_ALL),
    "taken_over": lambda: _moves(TAKEN_OVER),
    "given_up": _given_up,
    "workflow_follows": _workflow_follows,
}


def _callers() -> Iterator[str]:
    """List the routes that each scope may call."""
    return table(
        ("route", *Scope),
        (
            (f"`{route.method} {route.path}`", *("yes" if route.may_be_called_by(scope) else "" for scope in Scope))
            for route in ROUTES
        ),
    )


def _grants() -> Iterator[str]:
    """List the permissions of each function."""
    return table(("function", "may", "on"), _grants_by_resource())


def _grants_by_resource() -> Iterator[tuple[str, str, str]]:
    for function, grants in sorted(Template().grants.items()):
        for resource in sorted({grant.on for grant in grants}):
            actions = ", ".join(f"`{grant.action}`" for grant in sorted(grants) if grant.on == resource)
            yield f"`{function}`", actions, f"`{resource}`"
        if not grants:
            yield f"`{function}`", "nothing", ""


def _routes() -> Iterator[str]:
    rows = ((route.aggregate, f"`{route.method} {route.path}`", route.summary) for route in ROUTES)
    return table(("aggregate", "call", "what for"), rows)


def openapi_document() -> str:
    """Make docs/openapi.json: the request and the reply of every route."""
    operations = [openapi.operation(route, load_handler(route.name)) for route in ROUTES]
    return openapi.write(openapi.document(operations, {"url": "http://127.0.0.1:3000", "description": "make run"}))


def _filled(path: Path, tables: Tables) -> str:
    return filled(path.read_text(encoding="utf-8"), tables)


_FILLED: Final[dict[str, Tables]] = {
    "docs/state-machine.md": _STATE_MACHINE,
    "docs/permissions.md": {"callers": _callers, "grants": _grants},
    "docs/cost.md": {**prices.TABLES, "workflows": of_workflows},
    "docs/events.md": events_document.TABLES,
    "docs/decisions/0018-what-a-function-is-given.md": prices.TABLES,
    "README.md": {"routes": _routes},
}
DOCUMENTS: Final[dict[Path, Callable[[], str]]] = {
    OPENAPI: openapi_document,
    ROOT / "docs/events.schema.json": events_document.schema,
    decisions.LIST: decisions.document,
} | {ROOT / name: partial(_filled, ROOT / name, tables) for name, tables in _FILLED.items()}


def main() -> None:
    """Write every generated document."""
    for path, make in DOCUMENTS.items():
        path.write_text(make(), encoding="utf-8")
        print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
