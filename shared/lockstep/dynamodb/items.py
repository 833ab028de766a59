"""What is stored: one PynamoDB model per kind of item, all in one table.

Times are seconds since 1970 (UTC), as numbers, so that conditions can compare them.
Sizes matter: a write is billed by the whole item, so what changes often is small and stands alone.
"""

import os
from typing import Final

from pynamodb.attributes import Attribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.constants import NUMBER
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from lockstep.clock import expiry
from lockstep.text import escape, unescape

MAX_ERROR_BYTES: Final = 400_000
"""What an error entry's description may take; an item holds 409,600 bytes in all."""
MAX_LOG_CHARACTERS: Final = 10_000
MAX_INLINE_PATH_BYTES: Final = 170
"""A longer path goes to the LOG item, so that a heartbeat stays at 1 write unit (1,024 bytes)."""


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


class Item(Model):
    """What all items share: the table, and a key of two parts."""

    class Meta:
        """Connection settings. One call takes at most 8 s: two tries of 3.5 s and a pause (table.RETRIES)."""

        table_name = os.environ.get("TABLE_NAME", "lockstep")
        connect_timeout_seconds = 1
        read_timeout_seconds = 2.5
        max_pool_connections = 50

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class Expiring(Item):
    """What goes some days after it was last written, where a retention period is set."""

    expires_at = IntegerAttribute(null=True)
    """When, in seconds since 1970: the TTL attribute that template.yaml names. DynamoDB may take days longer."""

    @classmethod
    def renewed(cls, at: float) -> list[Action]:
        """What an update at that moment does besides, so that the item is kept for the whole period again."""
        expires_at = expiry(at)
        return [] if expires_at is None else [cls.expires_at.set(expires_at)]

    def has_expired(self, at: float) -> bool:
        """Whether it may be gone the next moment, and counts as gone."""
        return self.expires_at is not None and self.expires_at <= at


class Task(Expiring):
    """TASK#<id> / TASK: what a transition looks at and changes. Under 400 bytes."""

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    num_attempts = IntegerAttribute()
    max_attempts = IntegerAttribute()
    num_instances = IntegerAttribute()
    """The last instance number given out. Never reset, so an id is never used twice."""
    spec_version = IntegerAttribute()
    """Which binding of the task is in force: a SPEC item with a smaller one has been replaced."""
    bound_as = UnicodeAttribute(null=True)
    """A digest of that binding: the same binding again finds that there is nothing to do."""
    array_id = IntegerAttribute()
    workflow_id = IntegerAttribute()


class Spec(Expiring):
    """TASK#<id> / SPEC: what to run. Replaced as a whole when the task is bound again."""

    spec_version = IntegerAttribute()
    name = TextAttribute()
    command = TextAttribute()
    workflow_id = IntegerAttribute()
    array_id = IntegerAttribute()
    task_resources_id = IntegerAttribute()
    stdout_dir = TextAttribute(null=True)
    stderr_dir = TextAttribute(null=True)


class ArrayStepIndex(GlobalSecondaryIndex["TaskInstance"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """Finds a batch's instances by step. Its keys never change, so no transition ever writes it."""

    class Meta:
        """Named in template.yaml."""

        index_name = "array-step"
        projection = KeysOnlyProjection()

    array_step = UnicodeAttribute(hash_key=True)
    array_step_id = IntegerAttribute(range_key=True)


class RunIndex(GlobalSecondaryIndex["TaskInstance"]):  # type: ignore[no-untyped-call]  # PynamoDB left it untyped
    """What somebody must look at in a workflow run: its batches that have not ended, and instances in T, X and K.

    An item without `attention` is not in it, so a life that nothing goes wrong in never writes it.
    """

    class Meta:
        """Named in template.yaml."""

        index_name = "run"
        projection = KeysOnlyProjection()

    workflow_run_id = IntegerAttribute(hash_key=True)
    attention = UnicodeAttribute(range_key=True)


class TaskInstance(Expiring):
    """TASK#<id> / TI#<nnn>: one attempt. Under 1,024 bytes, always: a heartbeat is 1 write unit."""

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    report_by = NumberAttribute(null=True)
    workflow_run_id = IntegerAttribute()
    array_id = IntegerAttribute()
    array_batch_num = IntegerAttribute()
    array_step = UnicodeAttribute()
    array_step_id = IntegerAttribute()
    task_resources_id = IntegerAttribute()
    spec_version = IntegerAttribute()
    distributor_id = TextAttribute(null=True)
    nodename = TextAttribute(null=True)
    process_group_id = IntegerAttribute(null=True)
    stdout = TextAttribute(null=True)
    stderr = TextAttribute(null=True)
    taken_at = NumberAttribute(null=True)
    """When a distributor was last told that it is INSTANTIATED, if it was so before."""
    attention = UnicodeAttribute(null=True)
    """keys.flag of the status, while somebody must do something about it."""

    by_array_step = ArrayStepIndex()
    by_run = RunIndex()


class Log(Expiring):
    """TASK#<id> / TI#<nnn>#LOG: what an instance printed, and paths too long for its own item."""

    stdout = TextAttribute(null=True)
    stderr = TextAttribute(null=True)
    stdout_log = TextAttribute(null=True)
    stderr_log = TextAttribute(null=True)


class ErrorEntry(Expiring):
    """TASK#<id> / TI#<nnn>#ERR#<digest>: one thing said about an instance, once."""

    description = TextAttribute()
    error_time = NumberAttribute()


class Array(Item):
    """ARRAY#<id> / ARRAY."""

    name = TextAttribute()
    workflow_id = IntegerAttribute()
    task_template_version_id = IntegerAttribute()
    max_concurrently_running = IntegerAttribute()
    num_batches = IntegerAttribute()
    """The last batch number given out."""


class Batch(Expiring):
    """BATCH#<array>#<number> / BATCH, or / RUN#<run> for a part: keys.part_of_batch."""

    size = IntegerAttribute()
    """No step is as large."""
    num_instances = IntegerAttribute()
    """As many as size, but in a batch that was seeded with gaps."""
    task_resources_id = IntegerAttribute()
    workflow_run_id = IntegerAttribute()
    seen = UnicodeAttribute()
    """The status in which each step was last seen, a letter each: it is in that one now, or in one that follows."""
    attention = UnicodeAttribute(null=True)
    """keys.BatchAttention; none once all instances have ended."""
    grows_until = NumberAttribute(null=True)
    """More steps may be added until then."""


class WorkflowRun(Item):
    """RUN#<id> / RUN."""

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    workflow_id = IntegerAttribute()
    user = TextAttribute(null=True)
    jobmon_version = TextAttribute(null=True)
    heartbeat_date = NumberAttribute(null=True)
    """When its client was to be heard of again."""
    restarted_at = NumberAttribute(null=True)
    """When a distributor succeeded an earlier one."""


class Resources(Item):
    """RESOURCES#<id> / RESOURCES: what a task asks of the cluster. Never changes."""

    queue_id = IntegerAttribute()
    task_resources_type_id = TextAttribute(null=True)
    requested_resources = JSONAttribute()


class Lookup(Expiring):
    """ARRAYOF#... or TASKOF#... / LOOKUP: the id that a natural key was given. An array's never expires."""

    id = IntegerAttribute()


class Counter(Item):
    """COUNTER#<kind> / COUNTER: the last id given out."""

    last = IntegerAttribute()
