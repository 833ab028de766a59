"""What people read, and the newest error of a task."""

from collections.abc import Iterable
from typing import Any

from lockstep.fsm.statuses import TaskStatus
from tests.verification.model.oracle.rulings import Rulings
from tests.verification.model.oracle.state import iso, naive, name


class OneOf:
    """Equal to each of some texts: what was said in one moment is in no order."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = frozenset(texts)

    def __eq__(self, other: object) -> bool:
        return other in self.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return " or ".join(map(repr, sorted(self.texts)))


class Reading(Rulings):
    """The routes that show an instance or a task."""

    def get_task_instance(self, number: int) -> Any:
        i = self.instance(number)
        array, batch, step = i.place
        workflow, row = i.task.bound
        return {
            "task_instance": {
                "task_instance_id": number,
                "status": i.status,
                "status_name": name(i.status),
                "status_date": iso(i.since),
                "report_by_date": None if i.report_by is None else iso(i.report_by),
                "workflow_run_id": i.run,
                "array_id": array,
                "array_batch_num": batch,
                "array_step_id": step,
                "task_resources_id": i.resources,
                **i.said,
            },
            "task": {
                "task_id": i.task.id,
                "status": i.task.status,
                "status_name": TaskStatus(i.task.status).name,
                "num_attempts": i.task.attempts,
                "max_attempts": row[6],
                "workflow_id": workflow,
                "array_id": row[2],
                "name": row[4],
                "command": row[5],
            },
        }

    def task_instance_error_log(self, number: int) -> Any:
        """Without their ids; what was said in one moment is in no order."""
        return sorted((naive(at), words) for words, at in self.instance(number).errors.items())

    def most_recent_ti_error(self, task_id: int) -> Any:
        """The last entry of the newest attempt that has one."""
        for number in range(self.tasks[task_id].made if task_id in self.tasks else 0, 0, -1):
            i = self.instances[task_id * 1000 + number]
            if i.errors:
                last = max(i.errors.values())
                said = OneOf(words for words, at in i.errors.items() if at == last)
                return {"error_description": said, "task_instance_id": i.id}
        return {"error_description": "", "task_instance_id": None}
