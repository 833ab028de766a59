"""The path of a route about one task instance."""

from lockstep.errors import NotFoundError
from lockstep.http.fields import IdInPath
from lockstep.http.models import Request
from lockstep.task_instance.item import InstanceKey, split_task_instance_id


class InstancePath(Request):
    """The path of a route about one task instance."""

    task_instance_id: IdInPath

    @property
    def instance(self) -> InstanceKey:
        """The instance's key.

        Raises:
            NotFoundError: no instance can have this id.
        """
        key = split_task_instance_id(self.task_instance_id)
        if key is None:
            raise NotFoundError(f"task instance {self.task_instance_id} does not exist")
        return key

    def facts(self) -> dict[str, object]:
        """The instance's task, for the log."""
        key = split_task_instance_id(self.task_instance_id)
        return {"task_id": key.task_id} if key else {}
