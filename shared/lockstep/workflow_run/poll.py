"""The distributor's poll for changed instances: seven times a loop, once for each status.

A poll reads the instances that the distributor lists and compares their status. It searches for other instances only
in batches that may hold them, at a cost that does not grow with the run:
docs/decisions/0013-what-must-be-looked-at.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from lockstep.array.last_seen import WAITING, Seen, remember, remember_changes
from lockstep.array.portions import with_instances
from lockstep.array.run_index import MOST_INDEXED, flags, unended_batches, waiting_batches
from lockstep.context import deadline
from lockstep.dynamodb.parallel import chunks, rotated
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.transitions import may_become
from lockstep.fsm.workflow_run import DISTRIBUTED
from lockstep.task_instance.item import InstanceKey, TaskInstance, instance_keys
from lockstep.task_instance.read import read_instances
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import read_run

TI = TaskInstanceStatus

MOST_READ: Final = 10_000
"""The listed instances that a poll reads at most. The others are not told of; another poll reads them."""
MOST_TOLD: Final = 10_000
"""The unlisted instances after which a poll looks for no more; it may exceed this by the last group of portions.
The next poll returns more.
"""
MOST_LOOKED_AT: Final = 1_000
"""The instances that a poll reads at most to find unlisted ones in LAUNCHED or RUNNING. The next poll reads others."""
_READ_AT_ONCE: Final = 1_000
_ENOUGH_READ: Final = 0.3
"""The share of the time after which a poll reads no more of the listed instances."""
_ENOUGH: Final = 0.6
"""The share of the time after which a poll looks for no more, and notes no more."""


def sync_status(
    workflow_run_id: int, task_instance_ids: Iterable[int], status: TaskInstanceStatus
) -> dict[TaskInstanceStatus, list[int]]:
    """Return, by current status, a run's listed instances that left `status` and its unlisted ones that are in it.

    A poll does as much as its time allows. Of more than MOST_READ listed instances it reads some, from a random one on;
    an instance that it does not read, or does not reach, is told by another poll.

    Two kinds of unlisted instances are not returned:

    * instances in LAUNCHED and RUNNING, once the run has had a distributor: it knows the instances that it launched;
    * instances that an earlier distributor took. Instances that it did not launch count as QUEUED again; the others
      end, or the sweep settles them. An unmodified distributor crashes on an instance whose batch it does not know.
    """
    poll = _Poll(workflow_run_id, status, read_run(workflow_run_id))
    listed = instance_keys(task_instance_ids)
    read = poll.read(listed)
    updates = {key: told for key, instance in read.items() if (told := poll.told(instance)) is not status}
    updates |= dict.fromkeys(poll.find(frozenset(listed), read), status)
    if not deadline().spent(_ENOUGH):
        remember_changes(read.values(), status)
    by_status: dict[TaskInstanceStatus, list[int]] = defaultdict(list)
    for key in sorted(updates):
        by_status[updates[key]].append(key.id)
    return dict(by_status)


@dataclass(frozen=True, slots=True)
class _Poll:
    workflow_run_id: int
    status: TaskInstanceStatus
    run: WorkflowRun | None
    """None: the run was never created here, but instances of it exist."""

    @property
    def has_distributor(self) -> bool:
        return self.run is not None and WorkflowRunStatus(self.run.status) in DISTRIBUTED

    @property
    def succeeded_at(self) -> float:
        """The time at which the polling distributor replaced an earlier one; 0 if it did not."""
        return (self.run.restarted_at if self.run else None) or 0.0

    def told(self, instance: TaskInstance) -> TaskInstanceStatus:
        """The status that the distributor is told."""
        taken_before = instance.status == TI.INSTANTIATED and instance.taken < self.succeeded_at
        return TI.QUEUED if taken_before and self.status is TI.QUEUED else TI(instance.status)

    def read(self, listed: Collection[InstanceKey]) -> dict[InstanceKey, TaskInstance]:
        """Read the listed instances of the run. Repeat, consistently, reads that may lag behind a move to `status`."""
        some = listed if len(listed) <= MOST_READ else rotated(sorted(listed))[:MOST_READ]
        found: dict[InstanceKey, TaskInstance] = {}
        for keys in chunks(some, _READ_AT_ONCE):
            read = read_instances(keys)
            behind = [key for key, instance in read.items() if self._may_lag(TI(instance.status))]
            found |= read | read_instances(behind, consistent=True)
            if deadline().spent(_ENOUGH_READ):
                break
        return {key: instance for key, instance in found.items() if instance.workflow_run_id == self.workflow_run_id}

    def _may_lag(self, status: TaskInstanceStatus) -> bool:
        return status is not self.status and may_become(status, self.status)

    def find(self, listed: AbstractSet[InstanceKey], read: Mapping[InstanceKey, TaskInstance]) -> list[InstanceKey]:
        """Find the unlisted instances in `status`: first by reads that may lag.

        read: those of the listed ones that were read. The instances found are read again, consistently, because a
        distributor submits every instance it is told.
        """
        told: list[InstanceKey] = []
        confirming: _Poll | None = None
        for found in self._search(listed, read):
            if to_tell := self.to_tell(found):
                confirming = confirming or replace(self, run=read_run(self.workflow_run_id, consistent=True))
                told += confirming.to_tell(read_instances(to_tell, consistent=True))
            if len(told) >= MOST_TOLD or deadline().spent(_ENOUGH):
                break
        return told

    def _search(
        self, listed: AbstractSet[InstanceKey], read: Mapping[InstanceKey, TaskInstance]
    ) -> Iterator[Mapping[InstanceKey, TaskInstance]]:
        """Yield unlisted instances that may be in `status`, some at a time."""
        if self.status in WAITING:
            yield from self._search_waiting(listed, read)
        elif self.status in {TI.LAUNCHED, TI.RUNNING} and not self.has_distributor:
            yield self._look_under_way(listed)
        elif self.status in NEEDS_ATTENTION:
            unlisted = (key for key in self._flags() if key not in listed)
            yield from map(read_instances, chunks(unlisted, _READ_AT_ONCE))

    def to_tell(self, found: Mapping[InstanceKey, TaskInstance]) -> list[InstanceKey]:
        """Select the instances that the distributor is told."""
        if self.succeeded_at and self.status is not TI.QUEUED:
            return []
        if self.has_distributor and self.status in {TI.LAUNCHED, TI.RUNNING}:
            return []
        return [
            key
            for key, instance in found.items()
            if instance.workflow_run_id == self.workflow_run_id and self.told(instance) is self.status
        ]

    def _search_waiting(
        self, listed: AbstractSet[InstanceKey], read: Mapping[InstanceKey, TaskInstance]
    ) -> Iterator[Mapping[InstanceKey, TaskInstance]]:
        """Find instances that wait, and note the seen statuses, so that the next poll skips instances already taken."""
        wanted = WAITING if self.succeeded_at else {self.status}
        for group in with_instances(waiting_batches(self.workflow_run_id), wanted):
            members = {key for _, steps in group for key in steps.values()}
            found = read_instances(members - listed)
            known = {**read, **found}
            remember(Seen.read(portion, steps, known) for portion, steps in group)
            yield found

    def _flags(self) -> Iterator[InstanceKey]:
        """Yield the instances that are flagged with `status`, as many as there is time for."""
        for some in chunks(flags(self.workflow_run_id, self.status), MOST_INDEXED):
            yield from some
            if deadline().spent(_ENOUGH):
                return

    def _look_under_way(self, listed: AbstractSet[InstanceKey]) -> dict[InstanceKey, TaskInstance]:
        members: set[InstanceKey] = set()
        for group in with_instances(unended_batches(self.workflow_run_id), {self.status}):
            members.update(key for _, steps in group for key in steps.values())
            if deadline().spent(_ENOUGH):
                break
        unlisted = sorted(members - listed)
        return read_instances((unlisted if len(unlisted) <= MOST_LOOKED_AT else rotated(unlisted))[:MOST_LOOKED_AT])
