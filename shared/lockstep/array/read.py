"""Read arrays, their batches, and the instances of a batch."""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from lockstep.array.item import Array, Batch, batch_of
from lockstep.clock import Deadline, now, sleep
from lockstep.dynamodb.item import ArrayStepIndex, RawItem
from lockstep.dynamodb.parallel import run_parallel
from lockstep.dynamodb.reads import fetch, fetch_present, query
from lockstep.errors import NotFoundError, UnavailableError
from lockstep.task_instance.item import (
    STEPS_PER_PARTITION,
    InstanceKey,
    array_step_key,
    instance_key_of,
)

R = TypeVar("R")

INDEX_LAG_SECONDS: Final = 2.0
"""The seconds of repeating a query for a step that exists but that the index does not show yet."""
PAUSE_SECONDS: Final = 0.1
"""The time between two such queries."""


def until_indexed(look: Callable[[], R | None], what: str) -> R:
    """Query the index until it shows the wanted item.

    Raises:
        UnavailableError: it does not within INDEX_LAG_SECONDS.
    """
    lag = Deadline(INDEX_LAG_SECONDS)
    while (found := look()) is None:
        if lag.passed():
            raise UnavailableError(f"{what} is not indexed yet")
        sleep(PAUSE_SECONDS)
    return found


def read_array(array_id: int) -> Array:
    """Read an array. The read may lag.

    Raises:
        NotFoundError: the array does not exist.
    """
    key = Array.key(array_id)
    raw = fetch_present([key]).get(key)
    if not raw:
        raise NotFoundError(f"array {array_id} does not exist")
    return Array.from_raw_data(raw)


def read_batch(array_id: int, batch_num: int) -> Batch | None:
    """Read a batch consistently. Return None if it does not exist or has expired."""
    key = Batch.key(array_id, batch_num)
    raw = fetch([key], consistent=True).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    return None if batch is None or batch.has_expired(now()) else batch


def run_of_batch(array_id: int, batch_num: int) -> int | None:
    """Return a batch's workflow run, which never changes, or None if the batch does not exist or has expired."""
    key = Batch.key(array_id, batch_num)
    raw = fetch_present([key]).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    if batch and batch.has_expired(now()):
        batch = read_batch(array_id, batch_num)
    return batch.workflow_run_id if batch else None


def members(batch: Batch, steps: Iterable[int] | None = None) -> dict[int, InstanceKey]:
    """Query the index for a batch's instances, by step.

    Given steps, return at least those that the index shows; otherwise return all that it shows.
    """
    array_id, batch_num = batch_of(batch.pk)
    wanted = range(0, batch.size, STEPS_PER_PARTITION) if steps is None else steps
    firsts = {step - step % STEPS_PER_PARTITION for step in wanted}
    pages = run_parallel(lambda first: _members_from(array_id, batch_num, first), firsts)
    return {
        int(raw["array_step_id"]["N"]): instance_key_of(raw["pk"]["S"], raw["sk"]["S"])
        for page in pages
        for raw in page
    }


def _members_from(array_id: int, batch_num: int, first: int) -> list[RawItem]:
    partition = array_step_key(array_id, batch_num, first)
    from_first = ArrayStepIndex.array_step_id >= first
    return list(query(partition, from_first, index=ArrayStepIndex.Meta.index_name))
