"""The stored items of a task instance: the instance, its logs, its error entries with their texts; and its id."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, NamedTuple, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from lockstep.dynamodb.item import MAX_ID, Expiring, IntegerAttribute, Key, TextAttribute
from lockstep.task.item import Task
from lockstep.text import fits

V = TypeVar("V")

INSTANCES_PER_TASK: Final = 1000
MAX_INSTANCE_NUMBER: Final = INSTANCES_PER_TASK - 1
STEPS_PER_PARTITION: Final = 100
"""The array steps that share a partition of the array-step index."""
MAX_ERROR_BYTES: Final = 400_000
"""The bytes of an error's text at most. An item holds 409,600 bytes in all."""
MAX_INLINE_ERROR_BYTES: Final = 4_000
"""A longer error text is an item of its own, so that an instance's entries are cheap to list."""
MAX_LOG_CHARACTERS: Final = 10_000
MAX_INLINE_BYTES: Final = {"nodename": 64, "stdout": 144, "stderr": 144}
"""Longer texts go to the LOG item, so that the instance's own stays under 1,024 bytes: a heartbeat is 1 write unit."""

_MAX_DIGITS: Final = len(str(MAX_ID))


class InstanceKey(NamedTuple):
    """A task instance's id, taken apart."""

    task_id: int
    number: int

    @property
    def id(self) -> int:
        """The instance's id.

        >>> InstanceKey(42, 3).id
        42003
        """
        return self.task_id * INSTANCES_PER_TASK + self.number


class TaskInstance(Expiring):
    """One attempt at a task. Under 1,024 bytes, always: a heartbeat is 1 write unit."""

    KEY_FORMS: ClassVar = (Key("TASK#<id>", "TI#<nnn>"),)

    status = UnicodeAttribute()
    status_date = NumberAttribute()
    came_from = UnicodeAttribute(null=True)
    """The status before this one: with it the state machine says why it came to this one."""
    queued_at = NumberAttribute(null=True)
    """The time at which it was queued."""
    report_by = NumberAttribute(null=True)
    workflow_run_id = IntegerAttribute()
    array_id = IntegerAttribute()
    array_batch_num = IntegerAttribute()
    array_step = UnicodeAttribute()
    """array_step_key of the batch and the step."""
    array_step_id = IntegerAttribute()
    task_resources_id = IntegerAttribute()
    spec_version = IntegerAttribute()
    distributor_id = TextAttribute(null=True)
    nodename = TextAttribute(null=True)
    process_group_id = IntegerAttribute(null=True)
    stdout = TextAttribute(null=True)
    stderr = TextAttribute(null=True)
    taken_at = NumberAttribute(null=True)
    """The time at which a distributor was last told again that it is INSTANTIATED; none if it was told once."""
    worker_job = UnicodeAttribute(null=True)
    """The digest of the distributor id that the worker node named in its claim."""
    worker_node = UnicodeAttribute(null=True)
    """The digest of the node that it named."""
    claimed_at = NumberAttribute(null=True)
    """The time of the last claim that was told R; none if no worker node has claimed it."""
    claimed_with = UnicodeAttribute(null=True)
    """The id of the token that the worker node claimed it with; none where no tokens are asked for."""
    launched_as = UnicodeAttribute(null=True)
    """The digest of the distributor's own id for the job, which may have another form than the worker node's."""
    takeovers = IntegerAttribute(null=True)
    """The number of times that a worker node took it over from another one; none if never."""
    refusals = IntegerAttribute(null=True)
    """The number of refused claims and reports of other worker nodes or jobs; none if never."""
    attention = UnicodeAttribute(null=True)
    """attention_flag of the status, while it needs attention."""

    @property
    def taken(self) -> float:
        """For an INSTANTIATED instance: the time at which a distributor took it, or was last told of it again."""
        return max(self.status_date, self.taken_at or 0.0)

    @staticmethod
    def sort_key(number: int) -> str:
        """The sort key of a task's number-th instance.

        >>> TaskInstance.sort_key(3)
        'TI#003'
        """
        return f"TI#{number:03d}"

    @staticmethod
    def key(instance: InstanceKey) -> Key:
        """The key of an instance.

        >>> TaskInstance.key(InstanceKey(42, 3))
        Key(pk='TASK#42', sk='TI#003')
        """
        return Key(Task.partition(instance.task_id), TaskInstance.sort_key(instance.number))


class Log(Expiring):
    """The output of an instance, and texts that are too long for its own item."""

    KEY_FORMS: ClassVar = (Key("TASK#<id>", "TI#<nnn>#LOG"),)

    nodename = TextAttribute(null=True)
    stdout = TextAttribute(null=True)
    stderr = TextAttribute(null=True)
    stdout_log = TextAttribute(null=True)
    stderr_log = TextAttribute(null=True)

    @staticmethod
    def sort_key(number: int) -> str:
        """The sort key of the log of a task's number-th instance.

        >>> Log.sort_key(3)
        'TI#003#LOG'
        """
        return f"{TaskInstance.sort_key(number)}#LOG"

    @staticmethod
    def key(instance: InstanceKey) -> Key:
        """The key of an instance's log.

        >>> Log.key(InstanceKey(42, 3))
        Key(pk='TASK#42', sk='TI#003#LOG')
        """
        return Key(Task.partition(instance.task_id), Log.sort_key(instance.number))


def is_long_error(description: str) -> bool:
    """Whether an error's text is an item of its own.

    >>> is_long_error("a" * 4000), is_long_error("a" * 4001)
    (False, True)
    """
    return not fits(description, MAX_INLINE_ERROR_BYTES)


class ErrorEntry(Expiring):
    """One error that was reported about an instance. The same text is one entry, under its digest."""

    KEY_FORMS: ClassVar = (Key("TASK#<id>", "TI#<nnn>#ERR#<digest>"),)

    description = TextAttribute(null=True)
    """The text. None: it is long, and an ErrorText has it."""
    text_bytes = IntegerAttribute(null=True)
    """The bytes of a long text as it is stored."""
    error_time = NumberAttribute()

    @staticmethod
    def prefix(number: int) -> str:
        """The beginning of the sort keys of an instance's error entries.

        >>> ErrorEntry.prefix(3)
        'TI#003#ERR#'
        """
        return f"{TaskInstance.sort_key(number)}#ERR#"

    @staticmethod
    def sort_key(number: int, digest: str) -> str:
        """The sort key of one error entry of a task's number-th instance.

        >>> ErrorEntry.sort_key(3, "9f86d081884c7")
        'TI#003#ERR#9f86d081884c7'
        """
        return f"{ErrorEntry.prefix(number)}{digest}"

    @staticmethod
    def key(instance: InstanceKey, digest: str) -> Key:
        """The key of one error entry.

        >>> ErrorEntry.key(InstanceKey(42, 3), "9f86d081884c7")
        Key(pk='TASK#42', sk='TI#003#ERR#9f86d081884c7')
        """
        return Key(Task.partition(instance.task_id), ErrorEntry.sort_key(instance.number, digest))


class ErrorText(Expiring):
    """The text of an error entry that is too long to be listed. Written in the same transaction as its entry."""

    KEY_FORMS: ClassVar = (Key("TASK#<id>", "TI#<nnn>#TEXT#<digest>"),)

    description = TextAttribute()

    @staticmethod
    def sort_key(number: int, digest: str) -> str:
        """The sort key of one long error text of a task's number-th instance.

        >>> ErrorText.sort_key(3, "9f86d081884c7")
        'TI#003#TEXT#9f86d081884c7'
        """
        return f"{TaskInstance.sort_key(number)}#TEXT#{digest}"

    @staticmethod
    def key(instance: InstanceKey, digest: str) -> Key:
        """The key of one long error text.

        >>> ErrorText.key(InstanceKey(42, 3), "9f86d081884c7")
        Key(pk='TASK#42', sk='TI#003#TEXT#9f86d081884c7')
        """
        return Key(Task.partition(instance.task_id), ErrorText.sort_key(instance.number, digest))


FLAG_PREFIX: Final = "I#"
"""The beginning of an instance's sort key in the run index; the status follows."""


def attention_flag(status: str) -> str:
    """The sort key in the run index of an instance that needs attention.

    >>> attention_flag("T")
    'I#T'
    """
    return f"{FLAG_PREFIX}{status}"


def array_step_key(array_id: int, batch_num: int, step_id: int) -> str:
    """The array-step index's partition for a step: a hundred steps share one.

    >>> array_step_key(7, 12, 345)
    '7#12#3'
    """
    return f"{array_id}#{batch_num}#{step_id // STEPS_PER_PARTITION}"


def instance_key_of(pk: str, sk: str) -> InstanceKey:
    """The instance that an item's key names.

    >>> instance_key_of("TASK#42", "TI#003")
    InstanceKey(task_id=42, number=3)
    """
    return InstanceKey(int(pk.removeprefix("TASK#")), int(sk.removeprefix("TI#")))


def split_task_instance_id(task_instance_id: int) -> InstanceKey | None:
    """The task and the number that an instance id carries, or None where no instance can have that id.

    >>> split_task_instance_id(42003)
    InstanceKey(task_id=42, number=3)
    >>> split_task_instance_id(42000) is None
    True
    """
    task_id, number = divmod(task_instance_id, INSTANCES_PER_TASK)
    if number == 0 or not 0 < task_instance_id <= MAX_ID or task_id == 0:
        return None
    return InstanceKey(task_id, number)


def instance_keys(task_instance_ids: Iterable[int]) -> list[InstanceKey]:
    """The keys of those ids that an instance can have, each once, in order.

    >>> instance_keys([42003, 0, 42003])
    [InstanceKey(task_id=42, number=3)]
    """
    split = (split_task_instance_id(task_instance_id) for task_instance_id in dict.fromkeys(task_instance_ids))
    return [key for key in split if key]


def only_instance_ids(values: V) -> V | dict[str, object]:
    """The entries of a mapping whose keys are instance ids in decimal digits; anything but a mapping unchanged.

    >>> only_instance_ids({"42003": "a", "abc": "b", "1.5": "c", "-1": "d", "42000": "e"})
    {'42003': 'a'}
    """
    if not isinstance(values, Mapping):
        return values
    return {key: value for key, value in values.items() if _is_instance_id(key)}


def _is_instance_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= _MAX_DIGITS and split_task_instance_id(int(key)) is not None


def by_instance(values: Mapping[str, V]) -> dict[InstanceKey, V]:
    """The values by the instances that their keys name.

    >>> by_instance({"42003": "a"})
    {InstanceKey(task_id=42, number=3): 'a'}
    """
    split = {split_task_instance_id(int(key)): value for key, value in values.items()}
    return {key: value for key, value in split.items() if key}
