"""The items that are stored beside a task when it is bound: its lookup, a long specification, its arguments and so on.

No report reads or changes them. PynamoDB takes long to define a model, so a function that reports does not import them.
"""

from typing import ClassVar, Final

from pynamodb.attributes import BinaryAttribute, JSONAttribute

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Item, Key, TextAttribute
from lockstep.task.item import Specified, Task
from lockstep.text import escape


class Spec(Specified):
    """A specification that is too long for its task's item. Replaced as a whole when the task is bound again.

    It stays, and counts no more, once the task holds a short one itself.
    """

    SORT_KEY: Final = "SPEC"
    KEY_FORMS: ClassVar = (Key("TASK#<id>", SORT_KEY),)

    name = TextAttribute()
    command = TextAttribute()
    task_resources_id = IntegerAttribute()

    @staticmethod
    def key(task_id: int) -> Key:
        """The key of a task's specification.

        >>> Spec.key(42)
        Key(pk='TASK#42', sk='SPEC')
        """
        return Key(Task.partition(task_id), Spec.SORT_KEY)


class TaskAttribute(Expiring):
    """A named value that a client has noted of a task."""

    PREFIX: Final = "ATTRIBUTE#"
    KEY_FORMS: ClassVar = (Key("TASK#<id>", "ATTRIBUTE#<text>"),)

    value = TextAttribute(null=True)

    @staticmethod
    def key(task_id: int, name: str) -> Key:
        """The key of a task's attribute.

        >>> TaskAttribute.key(42, "sex")
        Key(pk='TASK#42', sk='ATTRIBUTE#sex')
        """
        return Key(Task.partition(task_id), TaskAttribute.PREFIX + escape(name))


class ArgumentChunk(Expiring):
    """Some arguments of tasks with neighbouring ids, as they were sent together."""

    KEY_FORMS: ClassVar = (Key("ARGUMENTS#<id>", "<digest>"),)

    packed = BinaryAttribute(legacy_encoding=False)
    """JSON, compressed: [[task id, argument id, value], …]."""

    @staticmethod
    def key(chunk: int, content: str) -> Key:
        """The key of a chunk's arguments: the same content is kept once.

        >>> ArgumentChunk.key(84, "c3ab8ff13720e")
        Key(pk='ARGUMENTS#84', sk='c3ab8ff13720e')
        """
        return Key(f"ARGUMENTS#{chunk}", content)


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
    """The resources that a task asks of the cluster. They never change."""

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
