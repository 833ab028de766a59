"""Find the instance at a step of a batch. Every worker node of an array does this when it starts."""

from lockstep.array.item import NO_STEP, Batch
from lockstep.array.read import read_batch, run_of_batch, until_indexed
from lockstep.context import only_run
from lockstep.dynamodb.item import MAX_ID, ArrayStepIndex
from lockstep.dynamodb.reads import query
from lockstep.errors import ForbiddenError, NotFoundError
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended
from lockstep.task_instance.item import array_step_key, instance_key_of


def find_step(array_id: int, batch_num: int, step_id: int) -> int:
    """Return the id of the instance at a step.

    This usually takes one Query, and one more read if the caller's token is for one workflow run.

    Raises:
        ForbiddenError: the caller's token is for another workflow run than the batch's.
        NotFoundError: the step does not exist.
        UnavailableError: the step exists, but the index does not show it yet.
    """
    if not all(0 <= number <= MAX_ID for number in (array_id, batch_num, step_id)):
        raise NotFoundError(f"array {array_id} has no step {step_id} in batch {batch_num}")
    _check_run(array_id, batch_num)
    return until_indexed(
        lambda: _look_up(array_id, batch_num, step_id), f"step {step_id} of array {array_id}, batch {batch_num},"
    )


def _look_up(array_id: int, batch_num: int, step_id: int) -> int | None:
    """Return the id of the instance at a step; None if the step exists and the index does not show it."""
    partition = array_step_key(array_id, batch_num, step_id)
    at_step = ArrayStepIndex.array_step_id == step_id
    for raw in query(partition, at_step, index=ArrayStepIndex.Meta.index_name):
        return instance_key_of(raw["pk"]["S"], raw["sk"]["S"]).id
    batch = read_batch(array_id, batch_num)
    if not batch or step_id >= batch.size or _is_missing(batch, step_id):
        raise NotFoundError(f"array {array_id} has no step {step_id} in batch {batch_num}")
    return None


def _check_run(array_id: int, batch_num: int) -> None:
    if (run := only_run()) is None:
        return
    if run_of_batch(array_id, batch_num) != run:
        raise ForbiddenError(
            f"batch {batch_num} of array {array_id} is not of workflow run {run}, which the token is for"
        )


def _is_missing(batch: Batch, step_id: int) -> bool:
    """Return whether a step that the index does not show is a gap, or has ended and expired before its batch.

    A step without a status in the batch is a gap, unless it belongs to another run's part of the batch, which only a
    seed file makes.
    """
    letter = batch.seen[step_id]
    if letter == NO_STEP:
        return len(batch.seen) - batch.seen.count(NO_STEP) == batch.num_instances
    return has_ended(TaskInstanceStatus(letter))
