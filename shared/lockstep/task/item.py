"""The stored items of a task: the task, a long specification, the lookup of its id; and the resources it asks for."""

from typing import ClassVar, Final

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Item, Key, TextAttribute
from lockstep.fsm.statuses import TOLD_TO_CLIENT, TaskStatus
from lockstep.text import escape


class Specified(Expiring):
    """A task's specification: its command, name, resources and directories."""

    name = TextAttribute(null=True)
    command = TextAttribute(null=True)
    task_resources_id = IntegerAttribute(null=True)
    stdout_dir = TextAttribute(null=True)
    stderr_dir = TextAttribute(null=True)
    resource_scales = TextAttribute(null=True)
    """The growth of its resources after an attempt that had too little: a Python literal, for Jobmon's client alone."""
    fallback_queues = TextAttribute(null=True)
    """The queues that it may go to then: as resource_scales."""
    spec_version = IntegerAttribute()
    """The number of the task's binding."""
    array_id = IntegerAttribute()
    workflow_id = IntegerAttribute()


MAX_INLINE_SPEC_BYTES: Final = 500
"""The bytes of a specification's texts that the task's own item holds: it stays under 1 kB, and a write of it takes one
unit. A longer one is an item of its own.
"""


class Task(Specified):
    """The attributes of a task that transitions read and change, and a short specification. Under 1 kB."""

    SORT_KEY: Final = "TASK"
    KEY_FORMS: ClassVar = (Key("TASK#<id>", SORT_KEY),)

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    num_attempts = IntegerAttribute()
    max_attempts = IntegerAttribute()
    num_instances = IntegerAttribute()
    """The last instance number given out. Never reset, so an id is never used twice."""
    bound_as = UnicodeAttribute(null=True)
    """A digest of the binding in force: the same binding again finds that there is nothing to do. None where a resume
    has let the task start over since.
    """
    feed = UnicodeAttribute(null=True)
    """The shard of its workflow's change feed that lists it. Never changes."""
    changed = UnicodeAttribute(null=True)
    """The time and status of its last move (changed_key), if its workflow's client acts on that status; else none."""
    node_id = IntegerAttribute(null=True)
    """The task's node. Seed files may leave it out."""
    short_name = TextAttribute(null=True)
    """The beginning of its name, where its specification is apart."""
    listed_in = UnicodeAttribute(null=True)
    """A copy of feed while the task has failed for good: the index lists a workflow's failed tasks."""
    listed_as = UnicodeAttribute(null=True)
    """The time at which it failed for good (failed_key)."""

    @staticmethod
    def partition(task_id: int) -> str:
        """The partition of a task, its specification and all its instances.

        >>> Task.partition(42)
        'TASK#42'
        """
        return f"TASK#{task_id}"

    @property
    def shown_name(self) -> str:
        """The task's name, or its beginning."""
        return self.name if self.specified else self.short_name or ""

    @property
    def is_fresh(self) -> bool:
        """Whether the task waits for its first attempt."""
        return self.status == TaskStatus.REGISTERING and self.num_attempts == 0

    @property
    def specified(self) -> bool:
        """Whether the task's own item holds its specification."""
        return self.command is not None

    @staticmethod
    def key(task_id: int) -> Key:
        """The key of a task.

        >>> Task.key(42)
        Key(pk='TASK#42', sk='TASK')
        """
        return Key(Task.partition(task_id), Task.SORT_KEY)


TASKS_PER_FEED: Final = 10_000
"""The tasks of a workflow that share a shard of its change feed: what a partition's writes allow."""
MOST_FEEDS: Final = 16
"""The shards of a workflow's change feed at most."""


NO_FEED: Final = "0#0"
"""The list of failed tasks without a feed: tasks of a seed file that has no workflow."""


def feed_key(workflow_id: int, ordinal: int) -> str:
    """The shard of a workflow's change feed that lists its task number `ordinal`.

    >>> feed_key(1001, 0), feed_key(1001, 10_000), feed_key(1001, 160_000)
    ('1001#0', '1001#1', '1001#0')
    """
    return f"{workflow_id}#{ordinal // TASKS_PER_FEED % MOST_FEEDS}"


def feed_keys(workflow_id: int, num_tasks: int) -> list[str]:
    """All shards of the change feed of a workflow with so many tasks.

    >>> feed_keys(1001, 10_001)
    ['1001#0', '1001#1']
    """
    shards = min(-(-num_tasks // TASKS_PER_FEED), MOST_FEEDS)
    return [f"{workflow_id}#{shard}" for shard in range(shards)]


def changed_key(at: float, status: TaskStatus) -> str:
    """The sort key in the change feed of a task that came to a status at a moment.

    >>> changed_key(1.5, TaskStatus.DONE)
    '00000000001500#D'
    """
    return f"{since_key(at)}#{status}"


def since_key(at: float) -> str:
    """A sort key in the change feed that stands before all changes since a moment.

    >>> since_key(1.5)
    '00000000001500'
    """
    return f"{max(0, int(at * 1000)):014d}"


def change_of(key: str) -> tuple[float, TaskStatus]:
    """Return the time and the new status of a change from its sort key.

    >>> change_of("00000000001500#D")
    (1.5, <TaskStatus.DONE: 'D'>)
    """
    at, status = key.split("#")
    return int(at) / 1000, TaskStatus(status)


def failed_key(at: float, task_id: int) -> str:
    """The sort key in the list of failed tasks: the time at which the task failed for good, and its id.

    >>> failed_key(1.5, 42)
    '00000000001500#0000000000000042'
    """
    return f"{since_key(at)}#{task_id:016d}"


def feed_changes(task_id: int, status: TaskStatus, at: float) -> list[Action]:
    """Return the actions that update the workflow's change feed and list of failed tasks when a task moves."""
    if status is TaskStatus.ERROR_FATAL:
        listed = [Task.listed_in.set(Task.feed | NO_FEED), Task.listed_as.set(failed_key(at, task_id))]
        return [Task.changed.set(changed_key(at, status)), *listed]
    if status in TOLD_TO_CLIENT:
        return [Task.changed.set(changed_key(at, status))]
    return [Task.changed.remove()] if status is TaskStatus.QUEUED else []


def starts_over() -> list[Action]:
    """Return the actions that remove a task from the change feed and the list of failed tasks as it starts over."""
    return [Task.changed.remove(), Task.listed_in.remove(), Task.listed_as.remove()]


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
