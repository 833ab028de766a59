"""The stored items of a task: the task, its specification, the lookup of its id; and the resources it asks for."""

from typing import ClassVar, Final

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Item, Key, TextAttribute
from lockstep.text import escape


class Task(Expiring):
    """What a transition reads and changes of a task. Under 400 bytes."""

    SORT_KEY: Final = "TASK"
    KEY_FORMS: ClassVar = (Key("TASK#<id>", SORT_KEY),)

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    num_attempts = IntegerAttribute()
    max_attempts = IntegerAttribute()
    num_instances = IntegerAttribute()
    """The last instance number given out. Never reset, so an id is never used twice."""
    spec_version = IntegerAttribute()
    """Which binding of the task is in force: a SPEC item with a smaller one has been replaced."""
    bound_as = UnicodeAttribute(null=True)
    """A digest of that binding: the same binding again finds that there is nothing to do."""
    array_id = IntegerAttribute()
    workflow_id = IntegerAttribute()
    node_id = IntegerAttribute(null=True)
    """The task's node. Seed files may leave it out."""

    @staticmethod
    def partition(task_id: int) -> str:
        """The partition of a task, its specification and all its instances.

        >>> Task.partition(42)
        'TASK#42'
        """
        return f"TASK#{task_id}"

    @staticmethod
    def key(task_id: int) -> Key:
        """The key of a task.

        >>> Task.key(42)
        Key(pk='TASK#42', sk='TASK')
        """
        return Key(Task.partition(task_id), Task.SORT_KEY)


class Spec(Expiring):
    """What to run. Replaced as a whole when the task is bound again."""

    SORT_KEY: Final = "SPEC"
    KEY_FORMS: ClassVar = (Key("TASK#<id>", SORT_KEY),)

    spec_version = IntegerAttribute()
    name = TextAttribute()
    command = TextAttribute()
    workflow_id = IntegerAttribute()
    array_id = IntegerAttribute()
    task_resources_id = IntegerAttribute()
    stdout_dir = TextAttribute(null=True)
    stderr_dir = TextAttribute(null=True)

    @staticmethod
    def key(task_id: int) -> Key:
        """The key of a task's specification.

        >>> Spec.key(42)
        Key(pk='TASK#42', sk='SPEC')
        """
        return Key(Task.partition(task_id), Spec.SORT_KEY)


class TaskLookup(Expiring):
    """The id of the task that a workflow has for a node and its arguments."""

    SORT_KEY: Final = "LOOKUP"
    KEY_FORMS: ClassVar = (Key("TASKOF#<id>#<long>#<text>", SORT_KEY),)

    id = IntegerAttribute()

    @staticmethod
    def key(workflow_id: int, node_id: int, task_args_hash: str) -> Key:
        """The key of a task's lookup.

        >>> TaskLookup.key(1, 2, "345")
        Key(pk='TASKOF#1#2#345', sk='LOOKUP')
        """
        return Key(f"TASKOF#{workflow_id}#{node_id}#{escape(task_args_hash)}", TaskLookup.SORT_KEY)


class Resources(Item):
    """What a task asks of the cluster. Never changes."""

    SORT_KEY: Final = "RESOURCES"
    KEY_FORMS: ClassVar = (Key("RESOURCES#<id>", SORT_KEY),)

    queue_id = IntegerAttribute()
    task_resources_type_id = TextAttribute(null=True)
    requested_resources = JSONAttribute()

    @staticmethod
    def key(task_resources_id: int) -> Key:
        """The key of a set of requested resources.

        >>> Resources.key(5)
        Key(pk='RESOURCES#5', sk='RESOURCES')
        """
        return Key(f"RESOURCES#{task_resources_id}", Resources.SORT_KEY)
