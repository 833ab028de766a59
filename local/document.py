"""`make docs`: write the documents that are generated from the code. A test fails if one is out of date."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from local import decisions, events_document, openapi, prices
from local.gateway import load_handler
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

STATE_MACHINE: Final = ROOT / "docs/state-machine.md"
OPENAPI: Final = ROOT / "docs/openapi.json"
PERMISSIONS: Final = ROOT / "docs/permissions.md"
COST: Final = ROOT / "docs/cost.md"
EVENTS: Final = ROOT / "docs/events.md"
EVENTS_SCHEMA: Final = ROOT / "docs/events.schema.json"
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
    """Make docs/state-machine.md: the state machines of lockstep.fsm, as diagrams and tables."""
    return "\n".join([*_together(), *_instances(), *_tasks(), *_task_follows(), *_reports(), *_runs(), *_workflows()])


def openapi_document() -> str:
    """Make docs/openapi.json: the request and the reply of every route."""
    operations = [openapi.operation(route, load_handler(route.name)) for route in ROUTES]
    return openapi.write(openapi.document(operations, {"url": "http://127.0.0.1:3000", "description": "make run"}))


def _together() -> Iterator[str]:
    yield "# The state machine"
    yield ""
    yield "`make docs` makes this page from transitions.py, reports.py and workflow_run.py in `shared/lockstep/fsm`."
    yield ""
    yield "## Who moves whom"
    yield ""
    yield from _TOGETHER.splitlines()
    yield ""


def _may_queue() -> str:
    return ", ".join(status.name for status in WorkflowRunStatus if status in MAY_QUEUE)


_TOGETHER: Final = f"""\
```mermaid
flowchart LR
    client(["client"]) -- "links it, moves it, keeps it alive" --> run
    rival(["another client"]) -- "asks it to end, or ends it once it is silent" --> run
    distributor(["distributor"]) -- "says that it is up" --> run
    client -- "binds, starts over" --> task
    client -- "queues an attempt" --> instance
    distributor -- "takes, launches, triages" --> instance
    worker(["worker node"]) -- "starts, keeps alive, ends" --> instance
    client -- "sweeps for the silent" --> instance
    subgraph of_run ["one transaction"]
        run["workflow run"] -- "WORKFLOW_FOLLOWS" --> workflow
    end
    subgraph of_instance ["one transaction"]
        instance["task instance"] -- "follows its latest attempt" --> task
    end
    run -- "lets no task be queued once it ends" --> instance
    run -- "stops what is left before it is TERMINATED" --> instance
    rival -- "resumes: stops what ended runs left" --> instance
```

A workflow is held by one run at most, from LINKING to the run's end. Only a run in {_may_queue()}
gives tasks another attempt, and of a run that has ended nothing is taken: each transaction that queues or takes checks
that. So what a run had queued when it ended stays QUEUED, and a distributor that outlives its run gets none of it. What
was taken before the end may still be launched and run: its job is on the cluster or on its way. Its reports count until
a resume stops it and starts the tasks over: from then on its attempts find their task in REGISTERING, or with a later
attempt.

A workflow notes how its last resume was requested. From then on is_resumable and set_resume_state first stop what ended
runs left, as a run stops its own: a cold resume stops all instances, a hot one all that are not RUNNING. Those in
TRIAGING and NO_HEARTBEAT fail. is_resumable says yes, and set_resume_state starts tasks over, only when no worker node
may still run what was told to stop: it has ended, or its report_by has passed. The run that is linked next sweeps what
earlier runs left, until all of it has ended."""


def _instances() -> Iterator[str]:
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
    yield "These reports lost a race: they are acknowledged and change nothing. All other pairs are invalid."
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


def _task_follows() -> Iterator[str]:
    yield "## What the task does when its instance moves"
    yield ""
    yield "| the instance moves to | attempts left: the task passes through, ends in | none left |"
    yield "|---|---|---|"
    for status in TaskInstanceStatus:
        left, none = (_follows(status, attempts_left=attempts_left) for attempts_left in (True, False))
        yield f"| {status.name} | {left} | {none} |"
    yield ""


def _reports() -> Iterator[str]:
    yield "## What a report does beyond the table"
    yield ""
    yield "| report | asks for | and |"
    yield "|---|---|---|"
    for report in REPORTS:
        for beyond in _exceptions(report):
            yield f"| {report.name} | {report.target.name} | {beyond} |"
    yield ""
    yield "A task in DONE or ERROR_FATAL stays there; an error then ends the instance in ERROR_FATAL."
    yield ""
    yield "A task follows its latest attempt only. An earlier attempt can end, but not be taken, launched or started."
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
    yield "Any other move leaves the run unchanged, and the reply is its current status."
    yield ""
    yield "Where every task of the workflow is done:"
    yield ""
    yield from _table(DONE_AFTER_ALL)
    yield ""
    yield "By a client that resumes the workflow, of another client's run:"
    yield ""
    yield from _table(TAKEN_OVER)
    yield ""
    yield "Where a run goes whose client has not reported in time, once another one wants its workflow:"
    yield ""
    yield "| from | to |"
    yield "|---|---|"
    for source, target in GIVEN_UP.items():
        yield f"| {source.name} | {target.name} |"
    yield ""


def _workflows() -> Iterator[str]:
    yield "## What the workflow does when its run moves"
    yield ""
    yield "A run and the workflow that it holds move in one transaction."
    yield ""
    yield "| the run moves to | the workflow goes to | from | because |"
    yield "|---|---|---|---|"
    for follow in WORKFLOW_FOLLOWS:
        sources = ", ".join(sorted(source.name for source in follow.sources))
        yield f"| {follow.run.name} | {follow.workflow.name} | {sources} | {follow.reason} |"
    yield ""
    yield "From another status it stays: a person has moved it meanwhile. A run that has ended holds it no more."
    yield ""


_NAMED: Final = {
    Names.WORKER: "refused from another worker node than the one that claimed it",
    Names.JOB: "refused about another job than the one that it runs as",
}


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


def _follows(status: TaskInstanceStatus, *, attempts_left: bool) -> str:
    through, end = get_new_task_status(status, _SOME_TASK_STATUS, attempts_left=attempts_left)
    other, _ = get_new_task_status(status, TaskStatus.LAUNCHED, attempts_left=attempts_left)
    return f"{through.name}, {end.name}" if through is other else "stays"


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


def _table(transitions: Iterable[Transition | TaskTransition | RunTransition]) -> Iterator[str]:
    yield "| from | to | why |"
    yield "|---|---|---|"
    for transition in transitions:
        yield f"| {transition.source.name} | {transition.target.name} | {transition.reason} |"


def _ends(statuses: Iterable[S], transitions: Iterable[Transition | RunTransition]) -> set[S]:
    """Return the statuses that some move enters and no move leaves."""
    entered = {transition.target for transition in transitions}
    return {
        status
        for status in statuses
        if status in entered and status not in {transition.source for transition in transitions}
    }


def _family(status: TaskInstanceStatus) -> str:
    if status in ERROR_STATES:
        return "error, terminal"
    if status in _ends(TaskInstanceStatus, VALID):
        return "terminal"
    return "legacy: no move leads here" if status not in {transition.source for transition in VALID} else ""


def permissions() -> str:
    """Make docs/permissions.md: the routes that each scope may call, and the permissions of each function."""
    return "\n".join([*_callers(), *_functions(), ""])


def _callers() -> Iterator[str]:
    yield "# Permissions"
    yield ""
    yield "Made from `shared/lockstep/routes.py` and `template.yaml` by `make docs`; change it there."
    yield ""
    yield "## Who may call what"
    yield ""
    yield "A token's scope decides which routes its owner may call. A worker's token for one workflow run allows the"
    yield "same routes, but only for the instances of that run. With `AuthMode=iam`, IAM decides instead, by"
    yield "`execute-api:Invoke` on a method and a path."
    yield "[Decision 19](decisions/0019-who-may-call.md) gives the reasons."
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
    yield "A test drives every function through its usual and its rare paths: the calls to AWS that it makes need"
    yield "exactly the permissions in this table. Each function may also write its log."
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
    """Make docs/cost.md: its own text with the tables of prices.py."""
    return prices.filled(COST.read_text(encoding="utf-8"), {**prices.TABLES, "workflows": of_workflows})


def events() -> str:
    """Make docs/events.md: its own text with what events_document.py makes of the models."""
    return prices.filled(EVENTS.read_text(encoding="utf-8"), events_document.TABLES)


def functions() -> str:
    """Make decision 18: its own text with a sum of prices.py."""
    return prices.filled(FUNCTIONS.read_text(encoding="utf-8"))


def readme() -> str:
    """Make README.md: its own text with the table of routes.py."""
    before, _, rest = README.read_text(encoding="utf-8").partition(_ROUTES_BEGIN)
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
    EVENTS: events,
    EVENTS_SCHEMA: events_document.schema,
    FUNCTIONS: functions,
    decisions.LIST: decisions.document,
    README: readme,
}


def main() -> None:
    """Write every generated document."""
    for path, make in DOCUMENTS.items():
        path.write_text(make(), encoding="utf-8")
        print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
