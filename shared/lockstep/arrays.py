"""Whole arrays: taking queued instances, and finding the instance of a step."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from lockstep import keys
from lockstep.advance import Request, transit_many
from lockstep.batches import NO_STEP, members, read_batch, run_of_batch
from lockstep.caller import only_run
from lockstep.clock import BULK_BUDGET_SECONDS, Deadline, sleep
from lockstep.errors import ForbiddenError, NotFoundError, UnavailableError
from lockstep.items import Array, ArrayStepIndex, Batch
from lockstep.standing import Standing
from lockstep.statuses import TaskInstanceStatus, TaskStatus
from lockstep.store import NOTHING, Said, log_taken_again, read_by_id, read_pairs
from lockstep.table import Key, fetch_present, query
from lockstep.transitions import INSTANTIATE, Kind, Refusal, Report, Ruling, has_ended, rule
from lockstep.wire import Text

INDEX_LAG_SECONDS: Final = 2.0
"""How long to look again for a step that must be in the index any moment."""
_LOOK_AGAIN_SECONDS: Final = 0.1


class InstanceBatch(NamedTuple):
    """Instances that are submitted together, as Jobmon's distributor reads them."""

    array_id: int
    array_name: Text
    array_batch_num: int
    task_resources_id: int
    task_instance_ids: list[int]


def instantiate(task_instance_ids: Sequence[int]) -> list[InstanceBatch]:
    """Move those that are QUEUED with their tasks to INSTANTIATED; answer all of them that now are, by batch.

    Ids that do not exist are passed over. Of two attempts at one task that are QUEUED, the later one takes it.

    Raises:
        UnavailableError: some may have moved; the same call again answers them too.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    ids = read_by_id(task_instance_ids, deadline)
    names = _read_names({instance.array_id for instance in ids.values()}, deadline)
    queued = [number for number, instance in ids.items() if instance.status == TaskInstanceStatus.QUEUED]
    told = transit_many((Request(task_instance_id, INSTANTIATE) for task_instance_id in queued), deadline)
    outcomes = {number: outcome for number, outcome in zip(queued, told, strict=True) if outcome}
    moved = {number for number, outcome in outcomes.items() if outcome.moved}
    before = {number for number, outcome in outcomes.items() if _is_repeated(outcome.ruling)}
    before |= _taken_before(ids.keys() - set(queued), deadline)
    now_taken = moved | {keys.task_instance_id(*key) for key in log_taken_again(keys.instance_keys(before), deadline)}
    taken = [(number, instance) for number, instance in ids.items() if number in now_taken]
    batches: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for task_instance_id, instance in sorted(taken, key=lambda pair: pair[0]):
        batch = instance.array_id, instance.array_batch_num, instance.task_resources_id
        batches[batch].append(task_instance_id)
    return [
        InstanceBatch(array_id, names.get(array_id, ""), batch_num, task_resources_id, members)
        for (array_id, batch_num, task_resources_id), members in sorted(batches.items())
    ]


def _is_repeated(ruling: Ruling) -> bool:
    """Taken before, by a call whose reply was lost, or by an earlier distributor."""
    return isinstance(ruling, Refusal) and ruling.kind is Kind.REPEATED


def _taken_before(task_instance_ids: Iterable[int], deadline: Deadline) -> set[int]:
    """Those that are past being queued and were taken before, by a read: of most there is nothing to write."""
    pairs = read_pairs(keys.instance_keys(task_instance_ids), deadline)
    standings = {
        keys.task_instance_id(*key): Standing(
            TaskInstanceStatus(instance.status), TaskStatus(task.status), superseded=task.num_instances > key.number
        )
        for key, (instance, task) in pairs.items()
    }
    return {number for number, standing in standings.items() if _is_repeated(rule(INSTANTIATE, standing))}


def _read_names(array_ids: set[int], deadline: Deadline) -> dict[int, str]:
    wanted = {Key(keys.array(array_id), keys.ARRAY): array_id for array_id in array_ids}
    found = fetch_present(wanted, deadline)
    return {wanted[key]: Array.from_raw_data(raw).name for key, raw in found.items()}


def find_step(array_id: int, batch_num: int, step_id: int) -> int:
    """The id of the instance at a step of a batch. One query in the usual case; a read more if the caller has one run.

    Raises:
        ForbiddenError: the batch is of another workflow run than the one that the caller's token is for.
        NotFoundError: there is no such step.
        UnavailableError: the step exists, but the index does not show it yet.
    """
    if not all(0 <= number <= keys.MAX_ID for number in (array_id, batch_num, step_id)):
        raise NotFoundError(f"array {array_id} has no step {step_id} in batch {batch_num}")
    deadline, lag = Deadline(), Deadline(INDEX_LAG_SECONDS)
    _check_run(array_id, batch_num, deadline)
    while True:
        partition = keys.array_step(array_id, batch_num, step_id)
        at_step = ArrayStepIndex.array_step_id == step_id
        for raw in query(partition, at_step, deadline, index=ArrayStepIndex.Meta.index_name):
            return keys.task_instance_id_of(raw["pk"]["S"], raw["sk"]["S"])
        batch = read_batch(array_id, batch_num, deadline)
        if not batch or step_id >= batch.size or _has_gone(batch, step_id):
            raise NotFoundError(f"array {array_id} has no step {step_id} in batch {batch_num}")
        if lag.passed():
            raise UnavailableError(f"step {step_id} of array {array_id}, batch {batch_num}, is not indexed yet")
        sleep(_LOOK_AGAIN_SECONDS)


def _check_run(array_id: int, batch_num: int, deadline: Deadline) -> None:
    if (run := only_run()) is None:
        return
    if run_of_batch(array_id, batch_num, deadline) != run:
        raise ForbiddenError(
            f"batch {batch_num} of array {array_id} is not of workflow run {run}, which the token is for"
        )


def _has_gone(batch: Batch, step_id: int) -> bool:
    """Whether a step that the index does not show never was, or has ended: then it has expired, before its batch.

    What the batch has no letter for is a gap, unless other runs have a part in it, which only a seed file makes.
    """
    letter = batch.seen[step_id]
    if letter == NO_STEP:
        return len(batch.seen) - batch.seen.count(NO_STEP) == batch.num_instances
    return has_ended(TaskInstanceStatus(letter))


def move_batch(array_id: int, batch_num: int, report: Report, on_move: Said = NOTHING) -> None:
    """Make one report about every instance of a batch; those that it does not move are left alone.

    Raises:
        UnavailableError: some may have moved; the same call again moves the rest.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    ids = _batch_members(array_id, batch_num, deadline)
    transit_many((Request(task_instance_id, report, on_move=on_move) for task_instance_id in ids), deadline)


def _batch_members(array_id: int, batch_num: int, deadline: Deadline) -> list[int]:
    lag = Deadline(INDEX_LAG_SECONDS)
    batch = read_batch(array_id, batch_num, deadline)
    if not batch:
        return []
    while True:
        found = members(batch, deadline)
        if len(found) >= batch.num_instances:
            return list(found.values())
        if lag.passed():
            raise UnavailableError(f"array {array_id}, batch {batch_num} is not indexed as a whole yet")
        sleep(_LOOK_AGAIN_SECONDS)
