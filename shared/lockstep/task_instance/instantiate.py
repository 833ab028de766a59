"""The distributor takes queued instances."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from lockstep.array.item import Array
from lockstep.dynamodb.client import fetch_present
from lockstep.fsm.pair_state import PairState
from lockstep.fsm.reports import INSTANTIATE, rule
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Kind, Refusal, Ruling
from lockstep.http.fields import Text
from lockstep.task_instance.bulk import log_taken_again
from lockstep.task_instance.item import InstanceKey, instance_keys
from lockstep.task_instance.read import read_instances, read_pairs
from lockstep.task_instance.report import Report
from lockstep.task_instance.transition import transit_many


class InstanceBatch(NamedTuple):
    """Instances that are submitted together, as Jobmon's distributor reads them: positional."""

    array_id: int
    array_name: Text
    array_batch_num: int
    task_resources_id: int
    task_instance_ids: list[int]


def instantiate(task_instance_ids: Iterable[int]) -> list[InstanceBatch]:
    """Move instances in QUEUED with their tasks to INSTANTIATED, and return by batch all that are INSTANTIATED now.

    Ids that do not exist are ignored. Of two attempts at one task that are QUEUED, the later one takes the task.

    Raises:
        UnavailableError: some may have moved; the same call again returns them too.
    """
    instances = read_instances(instance_keys(task_instance_ids))
    names = _read_names({instance.array_id for instance in instances.values()})
    queued = [key for key, instance in instances.items() if instance.status == TaskInstanceStatus.QUEUED]
    outcomes = dict(zip(queued, transit_many(Report(key, INSTANTIATE) for key in queued), strict=True))
    moved = {key for key, outcome in outcomes.items() if outcome and outcome.moved}
    before = {key for key, outcome in outcomes.items() if outcome and _is_repeated(outcome.ruling)}
    before |= _taken_before(instances.keys() - set(queued))
    now_taken = moved | set(log_taken_again(before))
    batches: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for key in sorted(now_taken):
        instance = instances[key]
        batches[instance.array_id, instance.array_batch_num, instance.task_resources_id].append(key.id)
    return [
        InstanceBatch(array_id, names.get(array_id, ""), batch_num, task_resources_id, members)
        for (array_id, batch_num, task_resources_id), members in sorted(batches.items())
    ]


def _is_repeated(ruling: Ruling) -> bool:
    """Whether an earlier call has taken it: one whose reply was lost, or an earlier distributor's."""
    return isinstance(ruling, Refusal) and ruling.kind is Kind.REPEATED


def _taken_before(past_queued: Iterable[InstanceKey]) -> set[InstanceKey]:
    """Those that an earlier call has taken, by a read: most of them need no write."""
    states = {
        key: PairState(
            TaskInstanceStatus(instance.status), TaskStatus(task.status), superseded=task.num_instances > key.number
        )
        for key, (instance, task) in read_pairs(past_queued).items()
    }
    return {key for key, state in states.items() if _is_repeated(rule(INSTANTIATE, state))}


def _read_names(array_ids: set[int]) -> dict[int, str]:
    wanted = {Array.key(array_id): array_id for array_id in array_ids}
    return {wanted[key]: Array.from_raw_data(raw).name for key, raw in fetch_present(wanted).items()}
