"""The distributor takes queued instances."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from lockstep.array.item import Array
from lockstep.context import deadline
from lockstep.dynamodb.reads import fetch, fetch_present
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import INSTANTIATE, rule_on
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import PairState, Refusal, RefusalKind, Ruling
from lockstep.http.fields import Text
from lockstep.http.reply import MAX_REPLY_BYTES, carried_as_json
from lockstep.observability import record_refusal
from lockstep.task.item import Task
from lockstep.task_instance.bulk import log_taken_again
from lockstep.task_instance.item import InstanceKey, TaskInstance, instance_keys
from lockstep.task_instance.read import read_instances, read_pairs
from lockstep.task_instance.report import Report
from lockstep.task_instance.transition import transit_many
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import ended_among

TAKEN_AT_ONCE: Final = 1_000
"""The listed instances that are taken before a call looks at the time. Jobmon's distributor lists at most 500, and
launches what it is told of as a whole: of so few it is told all, or nothing.
"""
_ENOUGH: Final = 0.5
"""The share of the time after which a call takes no more."""
_ID_BYTES: Final = 20
"""More than an instance's id takes in the reply."""
_BATCH_BYTES: Final = 100
"""More than a batch takes in the reply beside its array's name and its instances."""
_RUN_ENDED: Final = "its workflow run has ended"


class InstanceBatch(NamedTuple):
    """Instances that are submitted together, as Jobmon's distributor reads them: positional."""

    array_id: int
    array_name: Text
    array_batch_num: int
    task_resources_id: int
    task_instance_ids: list[int]


def instantiate(task_instance_ids: Iterable[int]) -> list[InstanceBatch]:
    """Move instances in QUEUED with their tasks to INSTANTIATED, and return by batch all that are INSTANTIATED now.

    Ids that do not exist are ignored. What is QUEUED stays so once its run has ended; the workflow's next run deals
    with it. Of two attempts at one task that are QUEUED, the later one takes the task.

    A call that lists more than TAKEN_AT_ONCE takes the first of them, as many as its time allows, or as one reply can
    tell of. The caller lists the others again: a poll still tells most of them as QUEUED, and the same call again
    returns them all. Of so many, it reads first which can be taken at all: the others are in front at each call.

    Raises:
        UnavailableError: some may have moved; the same call again returns them too.
    """
    listed = sorted(instance_keys(task_instance_ids))
    look = read_instances if len(listed) <= TAKEN_AT_ONCE else _read_takeable
    taken: dict[InstanceKey, TaskInstance] = {}
    reply = _Reply()
    passed = 0
    while passed < len(listed) and not (taken and deadline().spent(_ENOUGH)):
        some = listed[passed : passed + TAKEN_AT_ONCE]
        try:
            found = look(some)
            fitting = reply.first_that_fit(found)
            now_taken = _take(fitting)
        except UnavailableError:
            if not taken:
                raise
            break
        taken |= now_taken
        reply.hold(now_taken.values())
        if len(fitting) == len(found):
            passed += len(some)
        elif len(now_taken) == len(fitting):
            break
        else:
            passed = bisect(listed, max(fitting))
    return _by_batch(taken, reply.names)


@dataclass(slots=True)
class _Reply:
    """What the reply holds of instances that are about to be taken: no more are taken than it can tell of."""

    room: int = field(default_factory=lambda: MAX_REPLY_BYTES - _BATCH_BYTES)
    """Bytes."""
    names: dict[int, str] = field(default_factory=dict)
    """By array."""
    batches: set[tuple[int, int, int]] = field(default_factory=set)

    def first_that_fit(self, instances: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, TaskInstance]:
        """The first instances that the reply would still hold, if all of them were taken."""
        self.names |= _read_names({instance.array_id for instance in instances.values()} - self.names.keys())
        would_hold = replace(self, batches=set(self.batches))
        fitting: dict[InstanceKey, TaskInstance] = {}
        for key, instance in sorted(instances.items()):
            would_hold.hold([instance])
            if would_hold.room < 0:
                break
            fitting[key] = instance
        return fitting

    def hold(self, instances: Iterable[TaskInstance]) -> None:
        """Give room to instances."""
        for instance in instances:
            batch = _batch_of(instance)
            if batch not in self.batches:
                self.room -= _BATCH_BYTES + carried_as_json(self.names.get(instance.array_id, ""))
            self.room -= _ID_BYTES
            self.batches.add(batch)


def _batch_of(instance: TaskInstance) -> tuple[int, int, int]:
    return instance.array_id, instance.array_batch_num, instance.task_resources_id


def _take(instances: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, TaskInstance]:
    queued = [key for key, instance in instances.items() if instance.status == TaskInstanceStatus.QUEUED]
    reports = (Report(key, INSTANTIATE, open_run=instances[key].workflow_run_id) for key in queued)
    outcomes = dict(zip(queued, transit_many(reports), strict=True))
    moved = {key for key, outcome in outcomes.items() if outcome and outcome.moved}
    repeated = {
        key: outcome.rejected_by
        for key, outcome in outcomes.items()
        if outcome and outcome.rejected_by and _is_repeated(outcome.ruling)
    }
    undecided = instances.keys() - {key for key, outcome in outcomes.items() if outcome}
    before = repeated | _taken_before(undecided)
    now_taken = moved | _note_taken_again(before)
    return {key: instances[key] for key in now_taken}


def _is_repeated(ruling: Ruling) -> bool:
    """Whether an earlier call has taken it: one whose reply was lost, or an earlier distributor's."""
    return isinstance(ruling, Refusal) and ruling.kind is RefusalKind.REPEATED


def _read_takeable(listed: Iterable[InstanceKey]) -> dict[InstanceKey, TaskInstance]:
    """Read the instances that may be taken, or were. The others are refused without a write: they hold up nobody."""
    pairs = read_pairs(listed)
    ended = ended_among({instance.workflow_run_id for instance, _ in pairs.values()})
    takeable: dict[InstanceKey, TaskInstance] = {}
    for key, (instance, task) in pairs.items():
        ruling = _rule(key, instance, task)
        if isinstance(ruling, Refusal) and not _is_repeated(ruling):
            record_refusal(ruling.reason, kind=ruling.kind.name)
        elif instance.workflow_run_id in ended and not isinstance(ruling, Refusal):
            record_refusal(_RUN_ENDED)
        else:
            takeable[key] = instance
    return takeable


def _rule(key: InstanceKey, instance: TaskInstance, task: Task) -> Ruling:
    superseded = task.num_instances > key.number
    return rule_on(
        INSTANTIATE, PairState(TaskInstanceStatus(instance.status), TaskStatus(task.status), superseded=superseded)
    )


def _taken_before(past_queued: Iterable[InstanceKey]) -> dict[InstanceKey, TaskInstance]:
    """Those that an earlier call has taken, by a read: most of them need no write. The others are refused."""
    before: dict[InstanceKey, TaskInstance] = {}
    for key, (instance, task) in read_pairs(past_queued).items():
        ruling = _rule(key, instance, task)
        if _is_repeated(ruling):
            before[key] = instance
        elif isinstance(ruling, Refusal):
            record_refusal(ruling.reason, kind=ruling.kind.name)
        else:
            record_refusal(_RUN_ENDED)
    return before


def _note_taken_again(before: Mapping[InstanceKey, TaskInstance]) -> set[InstanceKey]:
    """Note that the present distributor has taken the instances which an earlier one took. Return all that it has."""
    restarted_at = _read_restarts({instance.workflow_run_id for instance in before.values()})
    earlier = {key for key, instance in before.items() if instance.taken < restarted_at[instance.workflow_run_id]}
    return (before.keys() - earlier) | set(log_taken_again(earlier))


def _read_restarts(workflow_run_ids: Collection[int]) -> dict[int, float]:
    """Read when each run's present distributor replaced an earlier one; 0 if it did not."""
    found = fetch(map(WorkflowRun.key, workflow_run_ids), consistent=True)
    runs = {key: WorkflowRun.from_raw_data(raw) for key, raw in found.items()}
    known = {number: runs.get(WorkflowRun.key(number)) for number in workflow_run_ids}
    return {number: (run.restarted_at if run else None) or 0.0 for number, run in known.items()}


def _by_batch(taken: Mapping[InstanceKey, TaskInstance], names: Mapping[int, str]) -> list[InstanceBatch]:
    batches: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for key, instance in sorted(taken.items()):
        batches[_batch_of(instance)].append(key.id)
    return [
        InstanceBatch(array_id, names.get(array_id, ""), batch_num, task_resources_id, members)
        for (array_id, batch_num, task_resources_id), members in sorted(batches.items())
    ]


def _read_names(array_ids: set[int]) -> dict[int, str]:
    wanted = {Array.key(array_id): array_id for array_id in array_ids}
    return {wanted[key]: Array.from_raw_data(raw).name for key, raw in fetch_present(wanted).items()}
