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
    """The time by which its client must report next."""
    restarted_at = NumberAttribute(null=True)
    """The time at which the current distributor replaced an earlier one; none if it is the first."""
    workflow_run_id = IntegerAttribute(null=True)
    """Its own id, while it has an attention: both put the run into the run index."""
    attention = UnicodeAttribute(null=True)
    """EARLIER_RUNS, while it looks after what earlier runs left (earlier.py), then since when it found nothing.
    With it, the run is in the run index.
    """

    @staticmethod
    def key(workflow_run_id: int) -> Key:
        """The key of a workflow run.

        >>> WorkflowRun.key(5)
        Key(pk='RUN#5', sk='RUN')
        """
        return Key(f"RUN#{workflow_run_id}", WorkflowRun.SORT_KEY)


def run_id_of(pk: str) -> int:
    """Return a workflow run's id from its partition key.

    >>> run_id_of("RUN#5")
    5
    """
    return int(pk.removeprefix("RUN#"))
