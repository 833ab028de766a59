"""The base of all items in the table: the key, the four indexes, the time to live.

Each aggregate's item.py defines the models of its items.
Times are numbers, seconds since 1970 (UTC), so that conditions can compare them.
A write is billed by the size of the whole item, so data that changes often is kept in small items of its own.
"""

import os
from typing import Any, ClassVar, Final, NamedTuple

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.constants import LIST, NUMBER, STRING
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from lockstep.clock import expiry
from lockstep.text import escape, unescape

RawItem = dict[str, dict[str, Any]]
"""An item in DynamoDB's JSON: attribute name to typed value."""

MAX_ID: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""
MAX_LONG_ID: Final = 2**63 - 1
"""The largest id of a node or a DAG. Python's JSON readers keep it exact."""


class Key(NamedTuple):
    """An item's key."""

    pk: str
    sk: str


class TextAttribute(UnicodeAttribute):
    """Text from a caller. Any Python str, lone surrogates included, is read back unchanged."""

    def serialize(self, value: str | None) -> str | None:
        """Escape characters that UTF-8 cannot encode."""
        return None if value is None else escape(value)

    def deserialize(self, value: str) -> str:
        """Undo serialize."""
        return unescape(value)


class TextsAttribute(Attribute[list[str]]):
    """A list of texts from a caller, in their order."""

    attr_type = LIST

    def serialize(self, value: list[str]) -> list[dict[str, str]]:
        """Escape each."""
        return [{STRING: escape(text)} for text in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[str]:
        """Undo serialize."""
        return [unescape(text[STRING]) for text in value]


class IntegerAttribute(Attribute[int]):
    """A whole number. PynamoDB's NumberAttribute is a float to the type checker."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Return the number's digits."""
        return str(int(value))

    def deserialize(self, value: str) -> int:
        """Return the number as an int."""
        return int(value)


class ArrayStepIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """The index that finds a batch's instances by step. Its keys never change, so a transition never writes to it."""

    class Meta:
        """The index's name must equal the one in template.yaml."""

        index_name = "array-step"
        projection = KeysOnlyProjection()

    array_step = UnicodeAttribute(hash_key=True)
    array_step_id = IntegerAttribute(range_key=True)


class RunIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """The index of a workflow run's batches that have not ended, and of its instances in T, X and K.

    A run that looks after what earlier runs left is in it, too.

    It omits items without `attention`, so an instance without failures never writes to it.
    """

    class Meta:
        """The index's name must equal the one in template.yaml."""

        index_name = "run"
        projection = KeysOnlyProjection()

    workflow_run_id = IntegerAttribute(hash_key=True)
    attention = UnicodeAttribute(range_key=True)


class FeedIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """The index of the tasks of a workflow whose status its client acts on, in the order in which they came to it.

    It omits tasks without `changed`.
    """

    class Meta:
        """The index's name must equal the one in template.yaml."""

        index_name = "feed"
        projection = KeysOnlyProjection()

    feed = UnicodeAttribute(hash_key=True)
    changed = UnicodeAttribute(range_key=True)


MAX_TITLE_BYTES: Final = 150
"""The beginning of a name that an item keeps for lists, if the whole name is in another item."""
LISTED_ATTRIBUTES: Final = [
    "array_id",
    "max_concurrently_running",
    "noted_at",
    "num_tasks",
    "seen",
    "status",
    "status_date",
    "title",
    "user",
    "workflow_run_id",
]
"""The attributes that the index includes: a list shows them without reading the item."""


class ListedIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """The index that people look through: all workflows; the arrays and batches of a workflow; its tasks that failed.

    It omits items without `listed_as`, so a task that did not fail for good never writes to it.
    """

    class Meta:
        """The index's name and what it includes must equal those in template.yaml."""

        index_name = "listed"
        projection = IncludeProjection(LISTED_ATTRIBUTES)

    listed_in = UnicodeAttribute(hash_key=True)
    listed_as = UnicodeAttribute(range_key=True)


class Item(Model):
    """The base model of the table's items."""

    class Meta:
        """Connection settings. One call takes at most 8 s: two tries of 3.5 s and a pause (client.RETRIES)."""

        table_name = os.environ.get("TABLE_NAME", "lockstep")
        connect_timeout_seconds = 1
        read_timeout_seconds = 2.5
        max_pool_connections = 50

    KEY_FORMS: ClassVar[tuple[Key, ...]] = ()
    """The forms of the model's keys. Their variable parts are `<id>`, `<id16>` (an id of 16 digits), `<long>` (an id of
    up to 19 digits), `<nnn>`, `<digest>`, `<sha>` and `<text>`.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)

    by_array_step = ArrayStepIndex()
    by_run = RunIndex()
    by_feed = FeedIndex()
    by_list = ListedIndex()


class Expiring(Item):
    """An item with a time to live: if RETENTION_DAYS is set, it expires that long after its last write."""

    expires_at = IntegerAttribute(null=True)
    """The time at which the item expires, in seconds since 1970. template.yaml names this TTL attribute. DynamoDB
    deletes the item within a few days of this time.
    """

    @classmethod
    def renewed(cls, at: float) -> list[Action]:
        """Return the changes that an update adds to restart the retention period at a moment."""
        expires_at = expiry(at)
        return [] if expires_at is None else [cls.expires_at.set(expires_at)]

    def has_expired(self, at: float) -> bool:
        """Return whether the item has expired and must be treated as deleted: DynamoDB may delete it at any moment."""
        return self.expires_at is not None and self.expires_at <= at
