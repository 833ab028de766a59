"""The stored item of a task, and what its change feed and its list of failed tasks hold of it."""

from typing import ClassVar, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Key, TextAttribute
from lockstep.fsm.statuses import TOLD_TO_CLIENT, TaskStatus


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
