"""Every key of the table, built in one place. docs/data-model.md draws how they hang together."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

from lockstep.text import escape

V = TypeVar("V")

INSTANCES_PER_TASK: Final = 1000
MAX_INSTANCE_NUMBER: Final = INSTANCES_PER_TASK - 1
MAX_ID: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""
MAX_DIGITS: Final = len(str(MAX_ID))
STEPS_PER_PARTITION: Final = 100
"""How many array steps share one partition of the array-step index."""

TASK: Final = "TASK"
SPEC: Final = "SPEC"
ARRAY: Final = "ARRAY"
BATCH: Final = "BATCH"
RUN: Final = "RUN"
RESOURCES: Final = "RESOURCES"
LOOKUP: Final = "LOOKUP"
COUNTER: Final = "COUNTER"


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
        return task_instance_id(*self)


def task_instance_id(task_id: int, number: int) -> int:
    """The id of a task's number-th instance.

    >>> task_instance_id(42, 3)
    42003
    """
    return task_id * INSTANCES_PER_TASK + number


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


def task(task_id: int) -> str:
    """The partition of a task, its specification and all its instances.

    >>> task(42)
    'TASK#42'
    """
    return f"TASK#{task_id}"


def instance(number: int) -> str:
    """The sort key of a task's number-th instance.

    >>> instance(3)
    'TI#003'
    """
    return f"TI#{number:03d}"


def instance_key_of(pk: str, sk: str) -> InstanceKey:
    """The instance that an item's key names.

    >>> instance_key_of("TASK#42", "TI#003")
    InstanceKey(task_id=42, number=3)
    """
    return InstanceKey(int(pk.removeprefix("TASK#")), int(sk.removeprefix("TI#")))


def log(number: int) -> str:
    """The sort key of what an instance printed.

    >>> log(3)
    'TI#003#LOG'
    """
    return f"{instance(number)}#LOG"


def errors(number: int) -> str:
    """What the sort keys of an instance's error entries begin with.

    >>> errors(3)
    'TI#003#ERR#'
    """
    return f"{instance(number)}#ERR#"


def error(number: int, digest: str) -> str:
    """The sort key of one error entry.

    >>> error(3, "9f86d081884c7")
    'TI#003#ERR#9f86d081884c7'
    """
    return f"{errors(number)}{digest}"


def array(array_id: int) -> str:
    """The partition of an array.

    >>> array(7)
    'ARRAY#7'
    """
    return f"ARRAY#{array_id}"


def batch(array_id: int, batch_num: int) -> str:
    """The partition of one batch of an array.

    >>> batch(7, 12)
    'BATCH#7#12'
    """
    return f"BATCH#{array_id}#{batch_num}"


def part_of_batch(workflow_run_id: int) -> str:
    """The sort key of the part of a batch that is another run's. Only a seed file makes such batches.

    >>> part_of_batch(5)
    'RUN#5'
    """
    return run(workflow_run_id)


def is_part(sk: str) -> bool:
    """Whether a batch's sort key is of such a part.

    >>> is_part(part_of_batch(5)), is_part(BATCH)
    (True, False)
    """
    return sk != BATCH


def array_step(array_id: int, batch_num: int, step_id: int) -> str:
    """The array-step index's partition for a step: a hundred steps share one.

    >>> array_step(7, 12, 345)
    '7#12#3'
    """
    return f"{array_id}#{batch_num}#{step_id // STEPS_PER_PARTITION}"


def array_lookup(workflow_id: int, task_template_version_id: int) -> str:
    """Finds the array that a workflow already has for a task template version.

    >>> array_lookup(1, 2)
    'ARRAYOF#1#2'
    """
    return f"ARRAYOF#{workflow_id}#{task_template_version_id}"


def task_lookup(workflow_id: int, node_id: int, task_args_hash: str) -> str:
    """Finds the task that a workflow already has for a node and its arguments.

    >>> task_lookup(1, 2, "345")
    'TASKOF#1#2#345'
    """
    return f"TASKOF#{workflow_id}#{node_id}#{escape(task_args_hash)}"


def run(workflow_run_id: int) -> str:
    """The partition of a workflow run.

    >>> run(5)
    'RUN#5'
    """
    return f"RUN#{workflow_run_id}"


def run_id_of(pk: str) -> int:
    """The id that a workflow run's key carries.

    >>> run_id_of("RUN#5")
    5
    """
    return int(pk.removeprefix("RUN#"))


FLAGGED: Final = "I#"
"""What the run index's sort keys begin with for an instance that needs attention; the status follows."""
LAUNCHED: Final = "L#"
"""... for a batch that the distributor has launched; the time follows at which it must be looked at."""
WAITING: Final = "W#"
"""... for a batch that may hold instances which wait for the distributor; as above."""


def flag(status: str) -> str:
    """The run index's sort key of an instance that needs attention.

    >>> flag("T")
    'I#T'
    """
    return f"{FLAGGED}{status}"


class BatchAttention(NamedTuple):
    """When a batch must be looked at, and whether some of its instances may still wait for the distributor."""

    due: float
    """Seconds since 1970."""
    waiting: bool

    def __str__(self) -> str:
        """The run index's sort key of the batch.

        >>> str(BatchAttention(1.5, waiting=True))
        'W#00000000001500'
        """
        return due(WAITING if self.waiting else LAUNCHED, self.due)

    @classmethod
    def parse(cls, attention: str) -> "BatchAttention":
        """What such a key says.

        >>> BatchAttention.parse("W#00000000001500")
        BatchAttention(due=1.5, waiting=True)
        """
        return cls(int(attention[2:]) / 1000, attention.startswith(WAITING))


def due(prefix: str, moment: float) -> str:
    """The run index's sort key of a batch that is due at a moment.

    >>> due(LAUNCHED, 1.5)
    'L#00000000001500'
    """
    return f"{prefix}{max(0, int(moment * 1000)):014d}"


def last(prefix: str) -> str:
    """Greater than everything that begins with a prefix.

    >>> last(LAUNCHED)
    'L#~'
    """
    return f"{prefix}~"


def batch_of(pk: str) -> tuple[int, int]:
    """The array and the number of the batch whose partition it is.

    >>> batch_of("BATCH#7#12")
    (7, 12)
    """
    _, array_id, batch_num = pk.split("#")
    return int(array_id), int(batch_num)


def resources(task_resources_id: int) -> str:
    """The partition of one set of requested resources.

    >>> resources(5)
    'RESOURCES#5'
    """
    return f"RESOURCES#{task_resources_id}"


def counter(of: str) -> str:
    """The partition of the counter that gives out ids of a kind.

    >>> counter("task")
    'COUNTER#task'
    """
    return f"COUNTER#{of}"


def instance_keys(task_instance_ids: Iterable[int]) -> list[InstanceKey]:
    """The keys of those ids that an instance can have, each once, in order.

    >>> instance_keys([42003, 0, 42003])
    [InstanceKey(task_id=42, number=3)]
    """
    split = (split_task_instance_id(task_instance_id) for task_instance_id in dict.fromkeys(task_instance_ids))
    return [key for key in split if key]


def only_instance_ids(values: V) -> V | dict[str, object]:
    """Of a mapping, what has an instance's id in decimal digits for a key; anything else as it was given.

    >>> only_instance_ids({"42003": "a", "abc": "b", "1.5": "c", "-1": "d", "42000": "e"})
    {'42003': 'a'}
    """
    if not isinstance(values, Mapping):
        return values
    return {key: value for key, value in values.items() if _is_instance_id(key)}


def _is_instance_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS and split_task_instance_id(int(key)) is not None


def by_instance(values: Mapping[str, V]) -> dict[InstanceKey, V]:
    """The values by the instances that their keys name.

    >>> by_instance({"42003": "a"})
    {InstanceKey(task_id=42, number=3): 'a'}
    """
    split = {split_task_instance_id(int(key)): value for key, value in values.items()}
    return {key: value for key, value in split.items() if key}
