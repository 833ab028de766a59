"""Binding: workflows, arrays, resources, tasks and their attempts."""

from typing import Any

from tests.verification.model.oracle.rulings import Rulings
from tests.verification.model.oracle.state import Instance, Refused, Task, Workflow, grouped

STARTS_NOTHING = "CHADEST"
"""A run in one of these gives no task another attempt: it has ended, or ends for a resume."""


class Binding(Rulings):
    """The routes by which a client says what is to run."""

    def bind_workflow(
        self,
        *,
        tool_version_id: int,
        dag_id: int,
        workflow_args_hash: int,
        task_hash: int,
        workflow_attributes: dict[str, Any],
        **said: Any,
    ) -> Any:
        key = str(workflow_args_hash), tool_version_id, dag_id, str(task_hash)
        number = next((number for number, workflow in self.workflows.items() if workflow.key == key), 0)
        if not number:
            number = self.last_workflow = self._next_workflow()
            self.workflows[number] = Workflow(self.now, key, arguments=said["workflow_args"])
        workflow = self.workflows[number]
        workflow.limit, workflow.named = said["max_concurrently_running"], (said["name"], said["description"])
        workflow.attributes |= workflow_attributes
        return {"workflow_id": number, "status": workflow.status, "newly_created": workflow.created is None}

    def _next_workflow(self) -> int:
        """One that no array has made."""
        number = self.last_workflow + 1
        while number in self.workflows:
            number += 1
        return number

    def set_workflow_attributes(self, workflow_id: int, *, workflow_attributes: dict[str, Any]) -> Any:
        self.workflow(workflow_id).attributes |= workflow_attributes
        return {}

    def _make_workflow(self, workflow_id: int) -> None:
        """One that nobody bound counts as bound: nobody will say when all its tasks are."""
        self.workflows.setdefault(workflow_id, Workflow(self.now, created=self.now))

    def create_array(self, *, workflow_id: int, task_template_version_id: int, **more: Any) -> Any:
        self._make_workflow(workflow_id)
        key = workflow_id, task_template_version_id
        array = self.arrays.setdefault(key, len(self.arrays) + 1)
        name, _, batches = self.named.get(array, [more["name"], 0, 0])
        self.named[array] = [name, more["max_concurrently_running"], batches]
        return {"array_id": array}

    def bind_resources(self, *, queue_id: int, requested_resources: dict[str, Any]) -> Any:
        assert queue_id
        return self.store_resources(requested_resources)

    def bind_tasks_no_args(self, *, workflow_id: int, mark_created: bool, tasks: dict[str, list[Any]]) -> Any:
        of_workflow = {array for (workflow, _), array in self.arrays.items() if workflow == workflow_id}
        if any(row[2] not in of_workflow for row in tasks.values()):
            raise Refused
        keys = {name: (workflow_id, row[0], str(row[1])) for name, row in tasks.items()}
        for key, row in {keys[name]: row for name, row in tasks.items()}.items():
            task = self.bound.get(key)
            if task is None:
                task = self.bound[key] = self.tasks[len(self.tasks) + 1] = Task(len(self.tasks) + 1, (workflow_id, row))
            elif task.status != "D" and (task.status != "R" or row[7]):
                self.start_over(task)
                task.bound = workflow_id, row
        if mark_created:
            self._make_workflow(workflow_id)
            workflow = self.workflows[workflow_id]
            workflow.created = self.now if workflow.created is None else workflow.created
        return {"tasks": {name: [self.bound[key].id, self.bound[key].status] for name, key in keys.items()}}

    def queue_task_batch(self, array: int, *, task_ids: list[int], task_resources_id: int, workflow_run_id: int) -> Any:
        asked = [self.tasks[number] for number in sorted(set(task_ids)) if number in self.tasks]
        ready = [task for task in asked if task.status in "GA" and task.bound[1][2] == array]
        if ready:
            self.named[array][2] += 1
        if workflow_run_id in self.runs and self.runs[workflow_run_id].status in STARTS_NOTHING:
            ready = []
        for step, task in enumerate(ready):
            self.walked["task", task.status + "Q"] += 1
            self.move_task(task, "Q")
            task.attempts, task.made = task.attempts + 1, task.made + 1
            number, place = task.id * 1000 + task.made, (array, self.named[array][2], step)
            self.instances[number] = Instance(number, task, workflow_run_id, place, task_resources_id, self.now)
            self.steps[place] = number
        return {"tasks_by_status": grouped((task.status, task.id) for task in asked)}
