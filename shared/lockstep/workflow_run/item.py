"""The stored item of a workflow run."""

from typing import ClassVar, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from lockstep.dynamodb.item import IntegerAttribute, Item, Key, TextAttribute


class WorkflowRun(Item):
    """A workflow run."""

    SORT_KEY: Final = "RUN"
    KEY_FORMS: ClassVar = (Key("RUN#<id>", SORT_KEY),)

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    workflow_id = IntegerAttribute()
    user = TextAttribute(null=True)
    jobmon_version = TextAttribute(null=True)
    heartbeat_date = NumberAttribute(null=True)
    """When its client reports next, at the latest."""
    restarted_at = NumberAttribute(null=True)
    """When a distributor succeeded an earlier one."""

    @staticmethod
    def key(workflow_run_id: int) -> Key:
        """The key of a workflow run.

        >>> WorkflowRun.key(5)
        Key(pk='RUN#5', sk='RUN')
        """
        return Key(f"RUN#{workflow_run_id}", WorkflowRun.SORT_KEY)


def run_id_of(pk: str) -> int:
    """The id that a workflow run's key carries.

    >>> run_id_of("RUN#5")
    5
    """
    return int(pk.removeprefix("RUN#"))
