"""The distributor takes queued instances."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from lockstep.array.item import Array
from lockstep.dynamodb.client import fetch_present
from lockstep.fsm.pair_state import PairState
from lockstep.fsm.reports import INSTANTIATE, rule
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Kind, Refusal, Ruling
from lockstep.http.fields import Text
from lockstep.http.reply import MAX_REPLY_BYTES, carried_as_json
from lockstep.task_instance.bulk import log_taken_again
from lockstep.task_instance.item import InstanceKey, TaskInstance, instance_keys
from lockstep.task_instance.read import read_instances, read_pairs
from lockstep.task_instance.report import Report
from lockstep.task_instance.transition import transit_many

_ID_BYTES: Final = 20
"""More than an instance's id takes in the reply."""
_BATCH_BYTES: Final = 100
"""More than a batch takes in the reply beside its array's name and its instances."""


class InstanceBatch(NamedTuple):
    """Instances that are submitted together, as Jobmon's distributor reads them: positional."""

    array_id: int
    array_name: Text
    array_batch_num: int
    task_resources_id: int
    task_instance_ids: list[int]


def instantiate(task_instance_ids: Iterable[int]) -> list[InstanceBatch]:
    """Move instances in QUEUED with their tasks to INSTANTIATED, and return by batch all that are INSTANTIATED now.

    Ids that do not exist are ignored. Of two attempts at one task that are QUEUED, the later one takes the task. Where
    one reply cannot tell of all instances, those with the highest ids stay as they are, for a further call.

    Raises:
        UnavailableError: some may have moved; the same call again returns them too.
    """
    instances = read_instances(instance_keys(task_instance_ids))
    names = _read_names({instance.array_id for instance in instances.values()})
    instances = _first_that_fit(instances, names)
    queued = [key for key, instance in instances.items() if instance.status == TaskInstanceStatus.QUEUED]
    outcomes = dict(zip(queued, transit_many(Report(key, INSTANTIATE) for key in queued), strict=True))
    moved = {key for key, outcome in outcomes.items() if outcome and outcome.moved}
    before = {key for key, outcome in outcomes.items() if outcome and _is_repeated(outcome.ruling)}
    before |= _taken_before(instances.keys() - set(queued))
    now_taken = moved | set(log_taken_again(before))
    batches: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for key in sorted(now_taken):
        batches[_batch_of(instances[key])].append(key.id)
    return [
        InstanceBatch(array_id, names.get(array_id, ""), batch_num, task_resources_id, members)
        for (array_id, batch_num, task_resources_id), members in sorted(batches.items())
    ]


def _batch_of(instance: TaskInstance) -> tuple[int, int, int]:
    return instance.array_id, instance.array_batch_num, instance.task_resources_id


def _first_that_fit(
    instances: Mapping[InstanceKey, TaskInstance], names: Mapping[int, str]
) -> dict[InstanceKey, TaskInstance]:
    """The instances of which one reply can tell, in the order of their ids: the same for the same call."""
    fitting: dict[InstanceKey, TaskInstance] = {}
    batches: set[tuple[int, int, int]] = set()
    room = MAX_REPLY_BYTES - _BATCH_BYTES
    for key, instance in sorted(instances.items()):
        batch = _batch_of(instance)
        if batch not in batches:
            room -= _BATCH_BYTES + carried_as_json(names.get(instance.array_id, ""))
        room -= _ID_BYTES
        if room < 0:
            break
        batches.add(batch)
        fitting[key] = instance
    return fitting


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
