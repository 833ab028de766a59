"""The stored items of an array: the array, the lookup of its id, its batches."""

from typing import ClassVar, Final, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from lockstep.dynamodb.item import Expiring, IntegerAttribute, Item, Key, TextAttribute


class Array(Item):
    """An array."""

    SORT_KEY: Final = "ARRAY"
    KEY_FORMS: ClassVar = (Key("ARRAY#<id>", SORT_KEY),)

    name = TextAttribute()
    workflow_id = IntegerAttribute()
    task_template_version_id = IntegerAttribute()
    max_concurrently_running = IntegerAttribute()
    num_batches = IntegerAttribute()
    """The last allocated batch number."""
    title = TextAttribute(null=True)
    """The beginning of its name."""
    listed_in = UnicodeAttribute(null=True)
    listed_as = UnicodeAttribute(null=True)

    @staticmethod
    def key(array_id: int) -> Key:
        """The key of an array.

        >>> Array.key(7)
        Key(pk='ARRAY#7', sk='ARRAY')
        """
        return Key(f"ARRAY#{array_id}", Array.SORT_KEY)


def listed_in(workflow_id: int) -> str:
    """The partition of the listed index that holds a workflow's arrays, each followed by its batches.

    >>> listed_in(1001)
    'WORKFLOW#1001'
    """
    return f"WORKFLOW#{workflow_id}"


def array_listed_as(array_id: int) -> str:
    """The sort key of an array in that list.

    >>> array_listed_as(701)
    '0000000000000701'
    """
    return f"{array_id:016d}"


def batch_listed_as(array_id: int, batch_num: int, part: str = "") -> str:
    """The sort key of a batch in that list, or of the part of one that belongs to another run.

    >>> batch_listed_as(701, 2), batch_listed_as(701, 2, "RUN#5")
    ('0000000000000701#0000000002', '0000000000000701#0000000002#RUN#5')
    """
    return "#".join(filter(None, [array_listed_as(array_id), f"{batch_num:010d}", part]))


class ArrayLookup(Item):
    """The id of the array that a workflow has for a task template version. Never expires."""

    SORT_KEY: Final = "LOOKUP"
    KEY_FORMS: ClassVar = (Key("ARRAYOF#<id>#<id>", SORT_KEY),)

    id = IntegerAttribute()

    @staticmethod
    def key(workflow_id: int, task_template_version_id: int) -> Key:
        """The key of an array's lookup.

        >>> ArrayLookup.key(1, 2)
        Key(pk='ARRAYOF#1#2', sk='LOOKUP')
        """
        return Key(f"ARRAYOF#{workflow_id}#{task_template_version_id}", ArrayLookup.SORT_KEY)


NO_STEP: Final = "."
"""The letter in Batch.seen for a step that the batch does not have."""


class Batch(Expiring):
    """A batch of an array, or the part of a batch that belongs to another run. Only a seed file makes such parts."""

    SORT_KEY: Final = "BATCH"
    KEY_FORMS: ClassVar = (Key("BATCH#<id>#<id>", SORT_KEY), Key("BATCH#<id>#<id>", "RUN#<id>"))

    size = IntegerAttribute()
    """Steps run from 0 to size - 1."""
    num_instances = IntegerAttribute()
    """Equal to size, except in a batch that was seeded with gaps."""
    task_resources_id = IntegerAttribute()
    workflow_run_id = IntegerAttribute()
    seen = UnicodeAttribute()
    """The status in which each step was last seen, one letter each. The instance may have left it for a later one."""
    attention = UnicodeAttribute(null=True)
    """A NextCheck as text; none once all instances have ended."""
    grows_until = NumberAttribute(null=True)
    """The time until which steps may be added; none once the batch is complete."""
    noted_at = NumberAttribute(null=True)
    """The time at which `seen` was noted, in seconds since 1970."""
    stopped_for = UnicodeAttribute(null=True)
    """The resume for which nothing of it may run any more, and when that was found (workflow_run/leftovers.py)."""
    listed_in = UnicodeAttribute(null=True)
    listed_as = UnicodeAttribute(null=True)

    @staticmethod
    def key(array_id: int, batch_num: int) -> Key:
        """The key of a batch.

        >>> Batch.key(7, 12)
        Key(pk='BATCH#7#12', sk='BATCH')
        """
        return Key(f"BATCH#{array_id}#{batch_num}", Batch.SORT_KEY)

    @staticmethod
    def part_key(array_id: int, batch_num: int, workflow_run_id: int) -> Key:
        """The key of the part of a batch that belongs to another run.

        >>> Batch.part_key(7, 12, 5)
        Key(pk='BATCH#7#12', sk='RUN#5')
        """
        return Key(Batch.key(array_id, batch_num).pk, f"RUN#{workflow_run_id}")

    @property
    def is_part(self) -> bool:
        """Whether this is the part of a batch that belongs to another run.

        >>> Batch(*Batch.part_key(7, 12, 5)).is_part, Batch(*Batch.key(7, 12)).is_part
        (True, False)
        """
        return str(self.sk) != Batch.SORT_KEY


def batch_of(pk: str) -> tuple[int, int]:
    """Return a batch's array id and batch number from its partition key.

    >>> batch_of("BATCH#7#12")
    (7, 12)
    """
    _, array_id, batch_num = pk.split("#")
    return int(array_id), int(batch_num)


EARLIER_RUNS: Final = "J#"
"""The beginning of the sort key in the run index of a run that looks after what earlier runs of its workflow left.

The time since when sweeps found nothing of them follows, if they did. It lies between those of instances that need
attention and those of batches, so that a sweep's query finds it.
"""
LAUNCHED_PREFIX: Final = "L#"
"""The beginning of a batch's sort key in the run index once the distributor has launched it; the time of its next
check follows.
"""
WAITING_PREFIX: Final = "W#"
"""The same beginning for a batch with instances that may wait for the distributor."""


class NextCheck(NamedTuple):
    """The time of a batch's next check, and whether some of its instances may still wait for the distributor."""

    due: float
    """Seconds since 1970."""
    waiting: bool

    def __str__(self) -> str:
        """The batch's sort key in the run index.

        >>> str(NextCheck(1.5, waiting=True))
        'W#00000000001500'
        """
        return due_key(WAITING_PREFIX if self.waiting else LAUNCHED_PREFIX, self.due)

    @classmethod
    def parse(cls, attention: str) -> "NextCheck":
        """Parse such a sort key.

        >>> NextCheck.parse("W#00000000001500")
        NextCheck(due=1.5, waiting=True)
        """
        return cls(int(attention[2:]) / 1000, attention.startswith(WAITING_PREFIX))


def due_key(prefix: str, moment: float) -> str:
    """Return the sort key in the run index of a batch that is due at a moment.

    >>> due_key(LAUNCHED_PREFIX, 1.5)
    'L#00000000001500'
    """
    return f"{prefix}{max(0, int(moment * 1000)):014d}"


def last_key(prefix: str) -> str:
    """Return a sort key that is greater than every key in use with a prefix.

    >>> last_key(LAUNCHED_PREFIX)
    'L#~'
    """
    return f"{prefix}~"
