"""`make docs`: writes the documents that are made from the code. A test holds them fresh."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from local.template import ROOT
from lockstep.statuses import ERROR_STATES, TERMINAL_TASK_STATUSES, TaskInstanceStatus, TaskStatus
from lockstep.transitions import TASK_MOVES, UNTIMELY, VALID, Edge, TaskEdge, get_new_task_status

STATE_MACHINE: Final = ROOT / "docs/state-machine.md"
_SOME_TASK_STATUS: Final = TaskStatus.RUNNING


def state_machine() -> str:
    """docs/state-machine.md: the two machines of transitions.py, as pictures and as tables."""
    return "\n".join([*_instances(), *_tasks(), *_together()])


def _instances() -> Iterator[str]:
    yield "# The state machine"
    yield ""
    yield "Made from `shared/lockstep/transitions.py` by `make docs`; change it there."
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


def _follows(status: TaskInstanceStatus, *, attempts_left: bool) -> str:
    through, end = get_new_task_status(status, _SOME_TASK_STATUS, attempts_left=attempts_left)
    other, _ = get_new_task_status(status, TaskStatus.LAUNCHED, attempts_left=attempts_left)
    return f"{through.name}, {end.name}" if through is other else "stays"


def _diagram(
    statuses: type[TaskInstanceStatus] | type[TaskStatus],
    edges: Iterable[Edge] | Iterable[TaskEdge],
    ends: Iterable[TaskInstanceStatus] | Iterable[TaskStatus],
) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {next(iter(statuses)).name}"
    for edge in edges:
        yield f"    {edge.source.name} --> {edge.target.name}: {edge.reason}"
    for end in sorted(ends):
        yield f"    {end.name} --> [*]"
    yield "```"


def _table(edges: Iterable[Edge] | Iterable[TaskEdge]) -> Iterator[str]:
    yield "| from | to | why |"
    yield "|---|---|---|"
    for edge in edges:
        yield f"| {edge.source.name} | {edge.target.name} | {edge.reason} |"


def _ends(statuses: Iterable[TaskInstanceStatus], edges: Iterable[Edge]) -> set[TaskInstanceStatus]:
    entered = {edge.target for edge in edges}
    return entered & (set(statuses) - {edge.source for edge in edges})


def _family(status: TaskInstanceStatus) -> str:
    if status in ERROR_STATES:
        return "error, terminal"
    if status in _ends(TaskInstanceStatus, VALID):
        return "terminal"
    return "legacy: nothing leads here" if status not in {edge.source for edge in VALID} else ""


DOCUMENTS: Final = {STATE_MACHINE: state_machine}


def main() -> None:
    """Write every generated document."""
    for path, make in DOCUMENTS.items():
        path.write_text(make())
        print(f"wrote {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
