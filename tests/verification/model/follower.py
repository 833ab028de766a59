"""A client that follows a workflow by its change feed, as Jobmon's does, and must miss nothing."""

from collections.abc import Iterator
from typing import Any

from tests.verification.model.picture import Picture


class Follower:
    """What a client knows of the tasks of its workflow."""

    def __init__(self, workflow_id: int) -> None:
        self.workflow_id = workflow_id
        self.last_sync = ""
        """The time of the last reply; empty before the first one."""
        self.known: dict[int, str] = {}

    def learn(self, reply: Any) -> None:
        """Take over what a poll told."""
        self.last_sync = reply["time"]
        for status, tasks in reply["tasks_by_status"].items():
            self.known |= dict.fromkeys(tasks, status)

    def missed(self, stands: Picture) -> list[str]:
        """The tasks in a status that a client acts on, of which it believes something else; a line each."""
        return [
            f"task {number} of workflow {self.workflow_id} is {status}; its client was told {self.known.get(number)}"
            for number, status in self._to_act_on(stands)
            if self.known.get(number) != status
        ]

    def _to_act_on(self, stands: Picture) -> Iterator[tuple[int, str]]:
        """D, F, A, and G after a failure. Who lets a task start over, with no attempt counted, knows it himself."""
        for (kind, number), row in stands.items():
            told = kind == "task" and (row.status in "DFA" or (row.status == "G" and row.num_attempts > 0))
            if told and row.workflow_id == self.workflow_id:
                yield number, row.status
