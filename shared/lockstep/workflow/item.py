"""The stored items of a workflow: itself, its specification and attributes, the ranges of its tasks, its lookup."""

from typing import ClassVar, Final

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Item, Key, TextAttribute
from lockstep.text import escape, unescape

NO_LIMIT: Final = 2**31 - 1
"""The limit that Jobmon's client sends if its user gives none."""


class Workflow(Item):
    """The attributes of a workflow that move, and those that the list of all workflows shows. Under 700 bytes."""

    SORT_KEY: Final = "WORKFLOW"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", SORT_KEY),)

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    workflow_run_id = IntegerAttribute(null=True)
    """The run that holds it, until that run has ended: no other one is linked."""
    created_date = NumberAttribute(null=True)
    """The time at which all its tasks were bound; none before."""
    max_concurrently_running = IntegerAttribute(null=True)
    """None: no limit."""
    cursor = UnicodeAttribute(null=True)
    """The progress of an unfinished call about all its tasks (cursor.py); linking a run clears it."""
    resume = UnicodeAttribute(null=True)
    """COLD_RESUME or HOT_RESUME: how the last resume was requested (workflow_run/leftovers.py)."""
    linked_since = NumberAttribute(null=True)
    """The time at which a run was linked since that request; none if none was."""
    num_tasks = IntegerAttribute(null=True)
    """The task ids that its bindings have allocated; some may not be in use."""
    title = TextAttribute(null=True)
    """The beginning of its name, for the list of all workflows."""
    user = TextAttribute(null=True)
    """The beginning of the name of the user whose run holds it, or held it last."""
    listed_in = UnicodeAttribute(null=True)
    listed_as = UnicodeAttribute(null=True)

    @property
    def limit(self) -> int:
        """The number of its tasks that may run at once.

        >>> Workflow(*Workflow.key(1001)).limit
        2147483647
        """
        return NO_LIMIT if self.max_concurrently_running is None else self.max_concurrently_running

    @staticmethod
    def key(workflow_id: int) -> Key:
        """The key of a workflow.

        >>> Workflow.key(1001)
        Key(pk='WORKFLOW#1001', sk='WORKFLOW')
        """
        return Key(f"WORKFLOW#{workflow_id}", Workflow.SORT_KEY)


ALL_WORKFLOWS: Final = "WORKFLOWS"
"""The partition of the listed index that holds all workflows. A workflow moves a few times in a run: one is enough."""
MAX_USER_BYTES: Final = 60


def workflow_listed_as(workflow_id: int) -> str:
    """The sort key of a workflow in the list of all.

    >>> workflow_listed_as(1001)
    '0000000000001001'
    """
    return f"{workflow_id:016d}"


class WorkflowSpec(Item):
    """A workflow's specification. Binding it again replaces its name and description."""

    SORT_KEY: Final = "SPEC"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", SORT_KEY),)

    tool_version_id = IntegerAttribute()
    dag_id = IntegerAttribute()
    workflow_args_hash = UnicodeAttribute()
    task_hash = UnicodeAttribute()
    name = TextAttribute(null=True)
    description = TextAttribute(null=True)
    workflow_args = TextAttribute(null=True)

    @staticmethod
    def key(workflow_id: int) -> Key:
        """The key of a workflow's specification.

        >>> WorkflowSpec.key(1001)
        Key(pk='WORKFLOW#1001', sk='SPEC')
        """
        return Key(Workflow.key(workflow_id).pk, WorkflowSpec.SORT_KEY)


class WorkflowAttribute(Item):
    """A named value that a client has noted of a workflow."""

    PREFIX: Final = "ATTRIBUTE#"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", "ATTRIBUTE#<text>"),)

    value = TextAttribute(null=True)

    @staticmethod
    def key(workflow_id: int, name: str) -> Key:
        """The key of a workflow's attribute.

        >>> WorkflowAttribute.key(1001, "project")
        Key(pk='WORKFLOW#1001', sk='ATTRIBUTE#project')
        """
        return Key(Workflow.key(workflow_id).pk, WorkflowAttribute.PREFIX + escape(name))

    @property
    def name(self) -> str:
        """The attribute's name.

        >>> WorkflowAttribute(*WorkflowAttribute.key(1001, "project")).name
        'project'
        """
        return unescape(str(self.sk).removeprefix(WorkflowAttribute.PREFIX))


class TaskRange(Item):
    """Consecutive task ids that one binding allocated for a workflow; some may not be in use."""

    PREFIX: Final = "TASKS#"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", "TASKS#<id16>"),)

    size = IntegerAttribute()
    arrays = JSONAttribute(null=True)
    """The number of consecutive ids of each array: [[array id, ids], …]. None: unknown. Array 0: not in use."""

    @staticmethod
    def key(workflow_id: int, first: int) -> Key:
        """The key of the range of task ids that begins with one. Ids have up to 16 digits.

        >>> TaskRange.key(1001, 1_000_000_001)
        Key(pk='WORKFLOW#1001', sk='TASKS#0000001000000001')
        """
        return Key(Workflow.key(workflow_id).pk, f"{TaskRange.PREFIX}{first:016d}")

    @property
    def ids(self) -> range:
        """The task ids.

        >>> TaskRange(*TaskRange.key(1001, 7), size=2).ids
        range(7, 9)
        """
        first = int(str(self.sk).removeprefix(TaskRange.PREFIX))
        return range(first, first + self.size)


class PassedTasks(Expiring):
    """How far a call that lists the tasks which are not done came before its time was up. The same call goes on there.

    It expires soon, whatever the retention period: a client repeats its call within five minutes.
    """

    PREFIX: Final = "PASSED#"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", "PASSED#<id16>"),)

    since = IntegerAttribute()
    """The first task id that was looked at."""
    reached = IntegerAttribute()
    """The last task id that was looked at."""
    left = JSONAttribute()
    """The ids of the tasks between them that were not done."""

    @staticmethod
    def key(workflow_id: int, after: int) -> Key:
        """The key for the list that begins behind a task id.

        >>> PassedTasks.key(1001, 0)
        Key(pk='WORKFLOW#1001', sk='PASSED#0000000000000000')
        """
        return Key(Workflow.key(workflow_id).pk, f"{PassedTasks.PREFIX}{after:016d}")


class RunOfWorkflow(Item):
    """Points from a workflow to one of its runs."""

    PREFIX: Final = "RUN#"
    KEY_FORMS: ClassVar = (Key("WORKFLOW#<id>", "RUN#<id16>"),)

    @staticmethod
    def key(workflow_id: int, workflow_run_id: int) -> Key:
        """The key of the pointer to a workflow's run.

        >>> RunOfWorkflow.key(1001, 1007)
        Key(pk='WORKFLOW#1001', sk='RUN#0000000000001007')
        """
        return Key(Workflow.key(workflow_id).pk, f"{RunOfWorkflow.PREFIX}{workflow_run_id:016d}")


class WorkflowLookup(Item):
    """The id of the workflow that has these arguments, in a tool version, with these tasks in this order."""

    KEY_FORMS: ClassVar = (Key("WORKFLOWOF#<hash>", "<id>#<hash>#<hash>"),)

    id = IntegerAttribute()

    @staticmethod
    def partition(workflow_args_hash: str) -> str:
        """The partition of all workflows with the same arguments.

        >>> WorkflowLookup.partition("123")
        'WORKFLOWOF#123'
        """
        return f"WORKFLOWOF#{workflow_args_hash}"

    @staticmethod
    def key(workflow_args_hash: str, tool_version_id: int, dag_id: int, task_hash: str) -> Key:
        """The key of a workflow's lookup.

        >>> WorkflowLookup.key("123", 1002, 45, "678")
        Key(pk='WORKFLOWOF#123', sk='1002#45#678')
        """
        return Key(WorkflowLookup.partition(workflow_args_hash), f"{tool_version_id}#{dag_id}#{task_hash}")
