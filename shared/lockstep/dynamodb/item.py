"""The table, and what all its items share: the key, the two indexes, the time to live.

Each aggregate's item.py has the models of its items.
Times are seconds since 1970 (UTC), as numbers, so that conditions can compare them.
Sizes matter: a write is billed by the whole item, so what changes often is small and has an item of its own.
"""

import os
from typing import Any, ClassVar, Final, NamedTuple

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import NUMBER
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from lockstep.clock import expiry
from lockstep.text import escape, unescape

RawItem = dict[str, dict[str, Any]]
"""An item as DynamoDB sends it."""

MAX_ID: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""


class Key(NamedTuple):
    """An item's key."""

    pk: str
    sk: str


class TextAttribute(UnicodeAttribute):
    """Text from a caller: every str that Python can hold comes back as it was."""

    def serialize(self, value: str | None) -> str | None:
        """The text in a form that UTF-8 can carry."""
        return None if value is None else escape(value)

    def deserialize(self, value: str) -> str:
        """The text as it was sent."""
        return unescape(value)


class IntegerAttribute(Attribute[int]):
    """A whole number; PynamoDB's own is a float to the type checker."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Its digits."""
        return str(int(value))

    def deserialize(self, value: str) -> int:
        """The number."""
        return int(value)


class ArrayStepIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """Finds a batch's instances by step. Its keys never change, so no transition ever writes it."""

    class Meta:
        """Named in template.yaml."""

        index_name = "array-step"
        projection = KeysOnlyProjection()

    array_step = UnicodeAttribute(hash_key=True)
    array_step_id = IntegerAttribute(range_key=True)


class RunIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """Finds what needs attention in a workflow run: its batches that have not ended, and instances in T, X and K.

    An item without `attention` is not in it, so a life in which nothing goes wrong never writes it.
    """

    class Meta:
        """Named in template.yaml."""

        index_name = "run"
        projection = KeysOnlyProjection()

    workflow_run_id = IntegerAttribute(hash_key=True)
    attention = UnicodeAttribute(range_key=True)


class Item(Model):
    """An item of the table. It has a key of two parts."""

    class Meta:
        """Connection settings. One call takes at most 8 s: two tries of 3.5 s and a pause (client.RETRIES)."""

        table_name = os.environ.get("TABLE_NAME", "lockstep")
        connect_timeout_seconds = 1
        read_timeout_seconds = 2.5
        max_pool_connections = 50

    KEY_FORMS: ClassVar[tuple[Key, ...]] = ()
    """The forms of the model's keys. `<id>`, `<nnn>`, `<digest>` and `<text>` stand for the parts that vary."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)

    by_array_step = ArrayStepIndex()
    by_run = RunIndex()


class Expiring(Item):
    """An item with a time to live: it expires some days after the last write, if a retention period is set."""

    expires_at = IntegerAttribute(null=True)
    """When, in seconds since 1970: the TTL attribute that template.yaml names. DynamoDB may take days longer."""

    @classmethod
    def renewed(cls, at: float) -> list[Action]:
        """The further changes of an update at a moment that keep the item for the whole retention period again."""
        expires_at = expiry(at)
        return [] if expires_at is None else [cls.expires_at.set(expires_at)]

    def has_expired(self, at: float) -> bool:
        """Whether it counts as gone: DynamoDB may delete it any moment."""
        return self.expires_at is not None and self.expires_at <= at
