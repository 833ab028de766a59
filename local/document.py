"""`make docs`: writes the documents that are made from the code. A test holds them fresh."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from local import openapi, prices
from local.gateway import load_handler
from local.template import ROOT, Template
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
from lockstep.fsm.transitions import TASK_MOVES, UNTIMELY, VALID, Edge, TaskEdge, get_new_task_status
from lockstep.fsm.workflow_run import RUN_MOVES, RunEdge
from lockstep.routes import ROUTES

S = TypeVar("S", TaskInstanceStatus, WorkflowRunStatus)

STATE_MACHINE: Final = ROOT / "docs/state-machine.md"
OPENAPI: Final = ROOT / "docs/openapi.json"
PERMISSIONS: Final = ROOT / "docs/permissions.md"
COST: Final = ROOT / "docs/cost.md"
FUNCTIONS: Final = ROOT / "docs/decisions/0018-what-a-function-is-given.md"
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
README: Final = ROOT / "README.md"
_ROUTES_BEGIN: Final = "<!-- made: routes -->"
_ROUTES_END: Final = "<!-- end -->"
_SOME_TASK_STATUS: Final = TaskStatus.RUNNING


def state_machine() -> str:
    """docs/state-machine.md: the machines of transitions.py and run_transitions.py, as pictures and as tables."""
    return "\n".join([*_instances(), *_tasks(), *_together(), *_beyond(), *_runs()])


def openapi_document() -> str:
    """docs/openapi.json: what every route takes and answers."""
    operations = [openapi.operation(route, load_handler(route.name)) for route in ROUTES]
    return openapi.write(openapi.document(operations, {"url": "http://127.0.0.1:3000", "description": "make run"}))


def _instances() -> Iterator[str]:
    yield "# The state machine"
    yield ""
    yield "`make docs` makes this page from transitions.py, reports.py and workflow_run.py in `shared/lockstep/fsm`."
    yield ""
    yield "## A task instance: one attempt"
    yield ""
    yield from _diagram(TaskInstanceStatus, VALID, _ends(TaskInstanceStatus, VALID))
    yield ""
    yield "| code | status | family |"
    yield "|---|---|---|"
    for status in TaskInstanceStatus:
        yield f"| {status} | {status.name} | {_family(status)} |"
    yield ""
    yield "### Valid moves"
    yield ""
    yield from _table(VALID)
    yield ""
    yield "### Untimely moves"
    yield ""
    yield "A report that lost a race: acknowledged, nothing moves, no error. All other pairs are invalid."
    yield ""
    yield from _table(UNTIMELY)
    yield ""


def _tasks() -> Iterator[str]:
    yield "## A task: a unit of work"
    yield ""
    yield from _diagram(TaskStatus, TASK_MOVES, TERMINAL_TASK_STATUSES)
    yield ""
    yield "| code | status |"
    yield "|---|---|"
    for status in TaskStatus:
        yield f"| {status} | {status.name} |"
    yield ""
    yield from _table(TASK_MOVES)
    yield ""


def _together() -> Iterator[str]:
    yield "## What the task does when its instance moves"
    yield ""
    yield "| the instance moves to | attempts left: the task passes through, ends in | none left |"
    yield "|---|---|---|"
    for status in TaskInstanceStatus:
        left, none = (_follows(status, attempts_left=attempts_left) for attempts_left in (True, False))
        yield f"| {status.name} | {left} | {none} |"
    yield ""


def _beyond() -> Iterator[str]:
    yield "## What a report does beyond the table"
    yield ""
    yield "| report | asks for | and |"
    yield "|---|---|---|"
    for report in REPORTS:
        for beyond in _says(report):
            yield f"| {report.name} | {report.target.name} | {beyond} |"
    yield ""
    yield "A task that is DONE or ERROR_FATAL stays so: an error then lays the instance to rest in ERROR_FATAL."
    yield ""
    yield "A task goes with its latest attempt. An earlier one ends alone; it is not taken, launched or started."
    yield ""


def _runs() -> Iterator[str]:
    yield "## A workflow run"
    yield ""
    yield from _diagram(WorkflowRunStatus, RUN_MOVES, _ends(WorkflowRunStatus, RUN_MOVES))
    yield ""
    yield "| code | status |"
    yield "|---|---|"
    for status in WorkflowRunStatus:
        yield f"| {status} | {status.name} |"
    yield ""
    yield from _table(RUN_MOVES)
    yield ""
    yield "Any other move leaves the run where it is, and the status that stands is the answer."
    yield ""


def _says(report: ReportRule) -> Iterator[str]:
    """What its fields add to the table, a sentence each."""
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
    if report.again:
        yield f"again, from {report.again[0].name} with its task {report.again[1].name}: the first reply was lost"
    if len(report.only_from) < len(TaskInstanceStatus):
        yield f"only from {', '.join(sorted(status.name for status in report.only_from))}"
    if report.task_may_stay:
        yield "even where its task cannot follow: that one stays"
    if report.unstarted:
        unstarted = ", ".join(sorted(status.name for status in report.unstarted))
        yield f"from {unstarted} through KILL_SELF to ERROR_FATAL at once: there is nothing to kill"


def _follows(status: TaskInstanceStatus, *, attempts_left: bool) -> str:
    through, end = get_new_task_status(status, _SOME_TASK_STATUS, attempts_left=attempts_left)
    other, _ = get_new_task_status(status, TaskStatus.LAUNCHED, attempts_left=attempts_left)
    return f"{through.name}, {end.name}" if through is other else "stays"


def _diagram(
    statuses: type[TaskInstanceStatus] | type[TaskStatus] | type[WorkflowRunStatus],
    edges: Iterable[Edge | TaskEdge | RunEdge],
    ends: Iterable[TaskInstanceStatus] | Iterable[TaskStatus] | Iterable[WorkflowRunStatus],
) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {next(iter(statuses)).name}"
    for edge in edges:
        yield f"    {edge.source.name} --> {edge.target.name}: {edge.reason}"
    for end in sorted(ends):
        yield f"    {end.name} --> [*]"
    yield "```"


def _table(edges: Iterable[Edge | TaskEdge | RunEdge]) -> Iterator[str]:
    yield "| from | to | why |"
    yield "|---|---|---|"
    for edge in edges:
        yield f"| {edge.source.name} | {edge.target.name} | {edge.reason} |"


def _ends(statuses: Iterable[S], edges: Iterable[Edge | RunEdge]) -> set[S]:
    """Those that moves lead to and none leads on from."""
    entered = {edge.target for edge in edges}
    return {status for status in statuses if status in entered and status not in {edge.source for edge in edges}}


def _family(status: TaskInstanceStatus) -> str:
    if status in ERROR_STATES:
        return "error, terminal"
    if status in _ends(TaskInstanceStatus, VALID):
        return "terminal"
    return "legacy: nothing leads here" if status not in {edge.source for edge in VALID} else ""


def permissions() -> str:
    """docs/permissions.md: who may call what by scopes.py, and what each function may do by template.yaml."""
    return "\n".join([*_callers(), *_functions(), ""])


def _callers() -> Iterator[str]:
    yield "# Permissions"
    yield ""
    yield "Made from `shared/lockstep/routes.py` and `template.yaml` by `make docs`; change it there."
    yield ""
    yield "## Who may call what"
    yield ""
    yield "With a token, by its scope. A worker's token that is for one workflow run goes for the instances of that run"
    yield "only, on the same routes. With `AuthMode=iam` IAM says who may call what: `execute-api:Invoke` on"
    yield "a method and a path. Why it is so: [decision 19](decisions/0019-who-may-call.md)."
    yield ""
    yield "| route | " + " | ".join(Scope) + " |"
    yield "|---|" + ":-:|" * len(Scope)
    for route in ROUTES:
        marks = ("yes" if route.may_be_called_by(scope) else "" for scope in Scope)
        yield f"| `{route.method} {route.path}` | " + " | ".join(marks) + " |"
    yield ""


def _functions() -> Iterator[str]:
    yield "## What each function may do"
    yield ""
    yield "A test drives every function through its usual and its rare paths: what it then asks of AWS is what stands"
    yield "here, no less and no more. Beside it, each may write its log."
    yield ""
    yield "| function | may | on |"
    yield "|---|---|---|"
    for function, grants in sorted(Template().grants.items()):
        for resource in sorted({grant.on for grant in grants}):
            actions = ", ".join(f"`{grant.action}`" for grant in sorted(grants) if grant.on == resource)
            yield f"| `{function}` | {actions} | `{resource}` |"
        if not grants:
            yield f"| `{function}` | nothing | |"


def cost() -> str:
    """docs/cost.md: its own words with the tables of prices.py."""
    return prices.filled(COST.read_text())


def functions() -> str:
    """Decision 18: its own words with a sum of prices.py."""
    return prices.filled(FUNCTIONS.read_text())


def readme() -> str:
    """README.md: its own text with the table of routes.py."""
    before, _, rest = README.read_text().partition(_ROUTES_BEGIN)
    _, _, after = rest.partition(_ROUTES_END)
    rows = [f"| {route.aggregate} | `{route.method} {route.path}` | {route.summary} |" for route in ROUTES]
    return (
        before
        + "\n".join([_ROUTES_BEGIN, "| aggregate | call | what for |", "|---|---|---|", *rows, _ROUTES_END])
        + after
    )


DOCUMENTS: Final[dict[Path, Callable[[], str]]] = {
    STATE_MACHINE: state_machine,
    OPENAPI: openapi_document,
    PERMISSIONS: permissions,
    COST: cost,
    FUNCTIONS: functions,
    README: readme,
}


def main() -> None:
    """Write every generated document."""
    for path, make in DOCUMENTS.items():
        path.write_text(make())
        print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
