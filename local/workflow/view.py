"""Show how a workflow goes on: what Jobmon's client says, and beside it what the API knows."""

import re
from collections import Counter
from typing import Final

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from lockstep.fsm.statuses import TaskStatus
from sim.client import Client
from sim.requests import poll_workflow
from sim.show import is_live

BAR_WIDTH: Final = 24
_LOGGED: Final = re.compile(r"[-0-9]+ [:0-9]+ \[jobmon\.(?P<part>\w+)\S* *\] \w+ \w+ *: (?P<message>.*)")
_BOUND: Final = re.compile(r"workflow (\d+) has")
_PROGRESS: Final = "newly completed tasks"


class View:
    """A live picture in a terminal, lines elsewhere."""

    def __init__(self, console: Console, client: Client) -> None:
        self._console, self._client = console, client
        self._workflow_id = 0
        self._counts: Counter[TaskStatus] = Counter()

    def say(self, line: str) -> None:
        """Print a line that Jobmon's program printed. Those of its worker nodes, several a task, are left out."""
        logged = _LOGGED.fullmatch(line)
        if logged and logged["part"] != "client":
            return
        self._console.print("jobmon  ", logged["message"] if logged else line, soft_wrap=True)
        if bound := _BOUND.match(line):
            self._workflow_id = int(bound[1])
        if bound or _PROGRESS in line:
            self._look()

    def say_where_it_stands(self) -> None:
        """Print how far the tasks are: QUEUED ones wait for the distributor, LAUNCHED ones for their worker node.

        Raises:
            UnansweredError: the system does not answer.
        """
        if self._workflow_id:
            self._counts = Counter(self.statuses().values())
        self._console.print("lockstep", self._described() or "no workflow is bound", soft_wrap=True)

    def picture(self) -> RenderableType:
        """Draw the tasks' progress."""
        bar = Table.grid(padding=(0, 2))
        total = self._counts.total() or None
        done = self._counts[TaskStatus.DONE]
        bar.add_row(ProgressBar(total=total, completed=done, width=BAR_WIDTH), self._described())
        return bar

    def statuses(self) -> dict[int, TaskStatus]:
        """Request the status of every task.

        Raises:
            UnansweredError: the system does not answer.
        """
        reply = self._client.ask(poll_workflow(self._workflow_id))
        return {task_id: TaskStatus(status) for status, ids in reply["tasks_by_status"].items() for task_id in ids}

    def _look(self) -> None:
        self._counts = Counter(self.statuses().values())
        if not is_live(self._console):
            self._console.print("lockstep", self._described(), soft_wrap=True)

    def _described(self) -> str:
        return ", ".join(f"{status.name} {self._counts[status]}" for status in TaskStatus if self._counts[status])
