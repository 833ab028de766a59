"""The distributor's poll for changed instances: seven times a loop, once for each status.

A poll reads the instances that the distributor lists and compares their status. It searches for other instances only
in batches that may hold them, at a cost that does not grow with the run:
docs/decisions/0013-what-must-be-looked-at.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lockstep.array.attention import WAITING, flagged, may_be_in, note, unended_batches, waiting_batches
from lockstep.array.item import Batch, BatchAttention
from lockstep.clock import BULK_BUDGET_SECONDS, Deadline, now
from lockstep.dynamodb.client import chunks, run_parallel
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.transitions import may_become
from lockstep.fsm.workflow_run import DISTRIBUTED
from lockstep.task_instance.item import InstanceKey, TaskInstance, instance_keys
from lockstep.task_instance.read import read_instances
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.lifecycle import read_run

TI = TaskInstanceStatus

MOST_TOLD: Final = 10_000
"""The unlisted instances that a poll returns at most; it may exceed this to complete the last one's batch. The next
poll returns more.
"""
MOST_LOOKED_AT: Final = 1_000
"""The instances that a poll reads at most to find unlisted ones in LAUNCHED or RUNNING. The next poll reads others."""
_TURN_SECONDS: Final = 10
BATCHES_AT_ONCE: Final = 64


def sync_status(
    workflow_run_id: int, task_instance_ids: Iterable[int], status: TaskInstanceStatus
) -> dict[TaskInstanceStatus, list[int]]:
    """Return, by current status, a run's listed instances that left `status` and its unlisted ones that are in it.

    Two kinds of unlisted instances are not returned:

    * instances in LAUNCHED and RUNNING, once the run has had a distributor: it knows the instances that it launched;
    * instances that an earlier distributor took. Instances that it did not launch count as QUEUED again; the others
      end, or the sweep settles them. An unmodified distributor crashes on an instance whose batch it does not know.
    """
    poll = _Poll(workflow_run_id, status, read_run(workflow_run_id))
    listed = poll.read(instance_keys(task_instance_ids))
    updates = {key: told for key, instance in listed.items() if (told := poll.told(instance)) is not status}
    if found := poll.find(listed):
        updates |= dict.fromkeys(poll.confirm(found), status)
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
        taken_at = max(instance.status_date, instance.taken_at or 0.0)
        taken_before = instance.status == TI.INSTANTIATED and taken_at < self.succeeded_at
        return TI.QUEUED if taken_before and self.status is TI.QUEUED else TI(instance.status)

    def read(self, listed: Iterable[InstanceKey]) -> dict[InstanceKey, TaskInstance]:
        """Read the listed instances of the run. Repeat, consistently, reads that may lag behind a move to `status`."""
        found = read_instances(listed)
        behind = [key for key, instance in found.items() if self._may_lag(TI(instance.status))]
        found |= read_instances(behind, consistent=True)
        return {key: instance for key, instance in found.items() if instance.workflow_run_id == self.workflow_run_id}

    def _may_lag(self, seen: TaskInstanceStatus) -> bool:
        return seen is not self.status and may_become(seen, self.status)

    def confirm(self, found: Collection[InstanceKey]) -> list[InstanceKey]:
        """Check the instances by consistent reads, because a distributor submits again every instance it is told."""
        run = read_run(self.workflow_run_id, consistent=True)
        return replace(self, run=run).to_tell(read_instances(found, consistent=True))

    def find(self, listed: Mapping[InstanceKey, TaskInstance]) -> list[InstanceKey]:
        """Find the unlisted instances in `status` by reads that may lag."""
        if self.status in WAITING:
            found = self._find_waiting(listed)
        elif self.status in {TI.LAUNCHED, TI.RUNNING}:
            found = {} if self.has_distributor else self._find_under_way(listed)
        else:
            found = self._find_flagged(listed) if self.status in NEEDS_ATTENTION else {}
        return self.to_tell({key: instance for key, instance in found.items() if key not in listed})

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

    def _find_flagged(self, listed: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, TaskInstance]:
        unlisted = [key for key in flagged(self.workflow_run_id, self.status) if key not in listed]
        return read_instances(unlisted[:MOST_TOLD])

    def _find_waiting(self, listed: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, TaskInstance]:
        """Find instances that wait, and note the seen statuses, so that the next poll skips instances already taken."""
        wanted = WAITING if self.succeeded_at else {self.status}
        told: dict[InstanceKey, TaskInstance] = {}
        for group in self._with_members(waiting_batches(self.workflow_run_id), wanted):
            members = {key for _, steps in group for key in steps.values()}
            found = {**listed, **read_instances(members - listed.keys())}
            run_parallel(lambda looked: self._note(*looked, found), group)  # noqa: B023  # called at once
            told |= {key: found[key] for key in members & found.keys()}
            if len(self.to_tell(told)) >= MOST_TOLD:
                break
        return told

    def _note(self, batch: Batch, steps: Mapping[int, InstanceKey], found: Mapping[InstanceKey, TaskInstance]) -> None:
        seen = {step: TI(found[key].status) for step, key in steps.items() if key in found}
        if any(batch.seen[step] != status for step, status in seen.items()) or WAITING.isdisjoint(batch.seen):
            note(batch, seen, BatchAttention.parse(batch.attention).due)

    def _find_under_way(self, listed: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, TaskInstance]:
        groups = self._with_members(unended_batches(self.workflow_run_id), {self.status})
        members = {key for group in groups for _, steps in group for key in steps.values()}
        unlisted = sorted(members - listed.keys())
        first = int(now() // _TURN_SECONDS) * MOST_LOOKED_AT % len(unlisted) if len(unlisted) > MOST_LOOKED_AT else 0
        return read_instances((unlisted[first:] + unlisted[:first])[:MOST_LOOKED_AT])

    def _with_members(
        self, batches: Iterable[Batch], statuses: Collection[TaskInstanceStatus]
    ) -> Iterator[list[tuple[Batch, dict[int, InstanceKey]]]]:
        """Yield batches with their instances that may be in one of the statuses, until half of the time is spent."""
        enough = Deadline(BULK_BUDGET_SECONDS / 2)
        for group in chunks(batches, BATCHES_AT_ONCE):
            steps = run_parallel(lambda batch: may_be_in(batch, statuses), group)
            yield [(batch, found) for batch, found in zip(group, steps, strict=True) if found is not None]
            if enough.passed():
                return
