"""What became of a distributor's instances: the answer to its poll, seven times a loop.

What a poll lists is read and compared. What it does not list is looked for only where it can be, at a price that
does not grow with the run: docs/decisions/0013-what-must-be-looked-at.md.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lockstep.batches import WAITING, flagged, may_be_in, note, unended_batches, waiting_batches
from lockstep.clock import BULK_BUDGET_SECONDS, Deadline, now
from lockstep.items import Batch, TaskInstance, WorkflowRun
from lockstep.keys import BatchAttention
from lockstep.run_transitions import DISTRIBUTED
from lockstep.statuses import NEEDS_ATTENTION, TaskInstanceStatus, WorkflowRunStatus
from lockstep.store import read_by_id
from lockstep.table import chunks, side_by_side
from lockstep.transitions import may_become
from lockstep.workflow_runs import read_run

TI = TaskInstanceStatus

MOST_TOLD: Final = 10_000
"""Instances that are not listed, and the rest of the last one's batch; the next poll is told of more."""
MOST_LOOKED_AT: Final = 1_000
"""Instances a poll looks at to find those in LAUNCHED or RUNNING that it does not list; the next looks at others."""
_TURN_SECONDS: Final = 10
BATCHES_AT_ONCE: Final = 64


def sync_status(
    workflow_run_id: int, task_instance_ids: Iterable[int], status: TaskInstanceStatus
) -> dict[TaskInstanceStatus, list[int]]:
    """Of a run: the listed that left status, and those in status that are not listed, by where they are now.

    Those not listed are looked for in QUEUED to KILL_SELF, but for two kinds that are kept from a distributor:

    * in LAUNCHED and RUNNING, once a distributor of the run has been up: it knows what it launched;
    * what its predecessor had taken: that is QUEUED again if it was not launched, and otherwise ends or is settled
      without it. An unmodified distributor ends over an instance whose batch it does not know.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    poll = _Poll(workflow_run_id, status, read_run(workflow_run_id, deadline), deadline)
    listed = poll.read(task_instance_ids)
    told = {number: at for number, instance in listed.items() if (at := poll.told(instance)) is not status}
    if found := poll.find(listed):
        told |= dict.fromkeys(poll.confirm(found), status)
    by_status: dict[TaskInstanceStatus, list[int]] = defaultdict(list)
    for number in sorted(told):
        by_status[told[number]].append(number)
    return dict(by_status)


@dataclass(frozen=True, slots=True)
class _Poll:
    workflow_run_id: int
    status: TaskInstanceStatus
    run: WorkflowRun | None
    """None: nobody has made the run known; there are instances of it all the same."""
    deadline: Deadline

    @property
    def has_distributor(self) -> bool:
        return self.run is not None and WorkflowRunStatus(self.run.status) in DISTRIBUTED

    @property
    def succeeded_at(self) -> float:
        """When the distributor that polls came after another one; 0 if it did not."""
        return (self.run.restarted_at if self.run else None) or 0.0

    def told(self, instance: TaskInstance) -> TaskInstanceStatus:
        """The status that the distributor is told."""
        taken_at = max(instance.status_date, instance.taken_at or 0.0)
        taken_before = instance.status == TI.INSTANTIATED and taken_at < self.succeeded_at
        return TI.QUEUED if taken_before and self.status is TI.QUEUED else TI(instance.status)

    def read(self, task_instance_ids: Iterable[int]) -> dict[int, TaskInstance]:
        """Those of the run. Where a cheap read shows one that may not have come to status yet, it is read again."""
        found = read_by_id(task_instance_ids, self.deadline)
        behind = [number for number, instance in found.items() if self._may_lag(TI(instance.status))]
        found |= read_by_id(behind, self.deadline, consistent=True)
        return {number: ti for number, ti in found.items() if ti.workflow_run_id == self.workflow_run_id}

    def _may_lag(self, seen: TaskInstanceStatus) -> bool:
        return seen is not self.status and may_become(seen, self.status)

    def confirm(self, found: Collection[int]) -> list[int]:
        """Those of what cheap reads found that are so. A distributor submits again what it is told of wrongly."""
        run = read_run(self.workflow_run_id, self.deadline, consistent=True)
        instances = read_by_id(found, self.deadline, consistent=True)
        return replace(self, run=run).to_tell(instances)

    def find(self, listed: Mapping[int, TaskInstance]) -> list[int]:
        """Those in status that are not listed, by what cheap reads show."""
        if self.status in WAITING:
            found = self._find_waiting(listed)
        elif self.status in {TI.LAUNCHED, TI.RUNNING}:
            found = {} if self.has_distributor else self._find_under_way(listed)
        else:
            found = self._find_flagged(listed) if self.status in NEEDS_ATTENTION else {}
        return self.to_tell({number: instance for number, instance in found.items() if number not in listed})

    def to_tell(self, found: Mapping[int, TaskInstance]) -> list[int]:
        """Those that the distributor is told of."""
        if self.succeeded_at and self.status is not TI.QUEUED:
            return []
        if self.has_distributor and self.status in {TI.LAUNCHED, TI.RUNNING}:
            return []
        return [
            number
            for number, instance in found.items()
            if instance.workflow_run_id == self.workflow_run_id and self.told(instance) is self.status
        ]

    def _find_flagged(self, listed: Mapping[int, TaskInstance]) -> dict[int, TaskInstance]:
        ids = [n for n in flagged(self.workflow_run_id, self.status, self.deadline) if n not in listed]
        return read_by_id(ids[:MOST_TOLD], self.deadline)

    def _find_waiting(self, listed: Mapping[int, TaskInstance]) -> dict[int, TaskInstance]:
        """What is seen of a batch is noted: the next poll passes over what is taken, and then over the batch."""
        wanted = WAITING if self.succeeded_at else {self.status}
        told: dict[int, TaskInstance] = {}
        for group in self._look_at(waiting_batches(self.workflow_run_id, self.deadline), wanted):
            ids = {number for _, steps in group for number in steps.values()}
            found = {**listed, **read_by_id(ids - listed.keys(), self.deadline)}
            side_by_side(lambda looked: self._note(*looked, found), group)  # noqa: B023  # called at once
            told |= {number: found[number] for number in ids & found.keys()}
            if len(self.to_tell(told)) >= MOST_TOLD:
                break
        return told

    def _note(self, batch: Batch, steps: Mapping[int, int], found: Mapping[int, TaskInstance]) -> None:
        seen = {step: TI(found[number].status) for step, number in steps.items() if number in found}
        if any(batch.seen[step] != status for step, status in seen.items()) or WAITING.isdisjoint(batch.seen):
            note(batch, seen, BatchAttention.parse(batch.attention).due, self.deadline)

    def _find_under_way(self, listed: Mapping[int, TaskInstance]) -> dict[int, TaskInstance]:
        groups = self._look_at(unended_batches(self.workflow_run_id, self.deadline), {self.status})
        known = {number for group in groups for _, steps in group for number in steps.values()}
        ids = sorted(known - listed.keys())
        first = int(now() // _TURN_SECONDS) * MOST_LOOKED_AT % len(ids) if len(ids) > MOST_LOOKED_AT else 0
        return read_by_id((ids[first:] + ids[:first])[:MOST_LOOKED_AT], self.deadline)

    def _look_at(
        self, batches: Iterable[Batch], statuses: Collection[TaskInstanceStatus]
    ) -> Iterator[list[tuple[Batch, dict[int, int]]]]:
        """Each batch with those of its instances that may be in one of the statuses; as many as time allows for."""
        enough = Deadline(BULK_BUDGET_SECONDS / 2)
        for group in chunks(batches, BATCHES_AT_ONCE):
            steps = side_by_side(lambda batch: may_be_in(batch, statuses, self.deadline), group)
            yield [(batch, found) for batch, found in zip(group, steps, strict=True) if found is not None]
            if enough.passed():
                return
