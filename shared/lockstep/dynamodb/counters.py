"""Allocate ids from counters in the table."""

from typing import ClassVar, Final

from lockstep.dynamodb.client import reach
from lockstep.dynamodb.item import IntegerAttribute, Item, Key

COUNTED: Final = (
    "array",
    "task",
    "task_resources",
    "task_template",
    "task_template_version",
    "tool",
    "tool_version",
    "workflow",
    "workflow_run",
)
"""The kinds of ids that have a counter."""
BEFORE_FIRST: Final = dict.fromkeys(COUNTED, 1_000) | {"task": 1_000_000_000}
"""The number before the first id of each kind. People type ids; Jobmon's client takes no template version 1, and
compares ids of tasks as text: all have one number of digits.
"""


class Counter(Item):
    """The last allocated id of a kind."""

    SORT_KEY: Final = "COUNTER"
    KEY_FORMS: ClassVar = tuple(Key(f"COUNTER#{kind}", "COUNTER") for kind in COUNTED)

    last = IntegerAttribute()

    @staticmethod
    def key(kind: str) -> Key:
        """Return the key of the counter for a kind of ids.

        >>> Counter.key("task")
        Key(pk='COUNTER#task', sk='COUNTER')
        """
        return Key(f"COUNTER#{kind}", Counter.SORT_KEY)


def allocate(kind: str, count: int) -> range:
    """Reserve `count` consecutive ids of a kind, in one write."""
    counter = Counter(*Counter.key(kind))
    reach(lambda: counter.update([Counter.last.set((Counter.last | BEFORE_FIRST[kind]) + count)]))
    last = counter.last
    return range(last - count + 1, last + 1)
