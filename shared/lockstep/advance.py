"""Rule, write, and look again on a lost race: where the rules and the table meet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from lockstep import keys, store
from lockstep.batches import expect
from lockstep.caller import only_run
from lockstep.clock import Deadline, now
from lockstep.errors import ContentionError, NotFoundError
from lockstep.items import TaskInstance
from lockstep.keys import InstanceKey
from lockstep.observability import count, known, measure
from lockstep.standing import Premise, Standing
from lockstep.statuses import TaskInstanceStatus, TaskStatus
from lockstep.store import NOTHING, Found, LostRaceError, PairWrite, Said
from lockstep.table import chunks, side_by_side
from lockstep.transitions import LAUNCH, RECOVER, Kind, Move, Refusal, Report, Ruling, premise, status_told


class Outcome(NamedTuple):
    """What became of a report."""

    ruling: Ruling
    status: TaskInstanceStatus
    """What the reporter is told."""
    found: TaskInstance | None
    """The instance as it last turned the report down, if it did."""

    @property
    def moved(self) -> bool:
        """Whether the instance is now where the report wanted it, or where the rules sent it instead."""
        return isinstance(self.ruling, Move)


@dataclass(frozen=True, slots=True)
class Request:
    """A report about one instance, and what it says beside the status."""

    task_instance_id: int
    report: Report
    said: Said = NOTHING
    """Stored whether the instance moves or not (but not what a fenced worker says)."""
    on_move: Said = NOTHING
    """Stored only together with the move."""
    only_run: int | None = field(default_factory=only_run)
    """The workflow run that the instance must be of: the caller may speak of no other. None: any."""


def transit_ti_and_t(
    task_instance_id: int,
    report: Report,
    said: Said = NOTHING,
    on_move: Said = NOTHING,
    deadline: Deadline | None = None,
) -> Outcome:
    """Move a task instance and its task in one transaction, or neither.

    The first transaction bets on the usual standing and reads nothing. Where it is turned down, the ruling is
    made on what turned it down and sent again: a write can only land under the ruling that allowed it.
    Source: Jobmon's function of the same name.

    Raises:
        NotFoundError: there is no such instance.
        ForbiddenError: it is of another workflow run than the one that the caller's token is for.
        ContentionError: others kept winning until the time budget was spent. Nothing was written.
        TableError: the table cannot be reached. Whether the write landed is not known; the same report again is safe.
    """
    request = Request(task_instance_id, report, said, on_move)
    [outcome] = transit_many([request], deadline or Deadline())
    if outcome is None:
        raise store.not_there(task_instance_id, request.only_run)
    return outcome


def transit_many(requests: Iterable[Request], deadline: Deadline) -> list[Outcome | None]:
    """transit_ti_and_t for many instances, in order; None where there is no such instance.

    As many pairs share a transaction as it holds. Where it is turned down, the pairs that turned it down are ruled on
    again and the rest is sent again. What has been written stays when a later transaction fails, so the
    same call again does what is left. An instance may be named once only.
    """
    pursuits = [_Pursuit(request) for request in requests]
    most = max((pursuit.request.said.and_also(pursuit.request.on_move).actions for pursuit in pursuits), default=1)
    try:
        for wave in _waves(pursuits):
            side_by_side(lambda chunk: _settle(chunk, deadline), chunks(wave, store.ACTIONS_PER_TRANSACTION // most))
    finally:
        _count(pursuits)
    return [pursuit.outcome for pursuit in pursuits]


def log_report_by(task_instance_id: int, said: Said) -> TaskInstanceStatus:
    """Store a heartbeat and return the status that stands; with it, an instance in TRIAGING goes back to RUNNING.

    Raises:
        NotFoundError: there is no such instance.
        UnavailableError: as for transit_ti_and_t.
    """
    deadline = Deadline()
    key, triaging = instance_key(task_instance_id), TaskInstanceStatus.TRIAGING
    instance = store.log_heartbeat(key, said, triaging, deadline, only_run=only_run())
    known(workflow_run_id=instance.workflow_run_id)
    if instance.report_by is not None:
        measure("HeartbeatLag", max(0.0, now() - instance.report_by))
    status = TaskInstanceStatus(instance.status)
    if status is triaging:
        status = transit_ti_and_t(task_instance_id, RECOVER, said, deadline=deadline).status
    if status is TaskInstanceStatus.RUNNING:
        expect(instance, said.report_by, deadline)
    return status


def log_distributor_id(task_instance_id: int, said: Said) -> Outcome:
    """Store what the distributor says of an instance, and that the cluster accepted its submission.

    Raises:
        NotFoundError, ForbiddenError, UnavailableError: as for transit_ti_and_t.
    """
    deadline = Deadline()
    outcome = transit_ti_and_t(task_instance_id, LAUNCH, said, deadline=deadline)
    if outcome.found and outcome.status is TaskInstanceStatus.RUNNING:
        expect(outcome.found, said.report_by, deadline)
    return outcome


def instance_key(task_instance_id: int) -> InstanceKey:
    """The key of an instance.

    Raises:
        NotFoundError: no instance can have this id.
    """
    key = keys.split_task_instance_id(task_instance_id)
    if key is None:
        raise NotFoundError(f"task instance {task_instance_id} does not exist")
    return key


def _waves(pursuits: Sequence["_Pursuit"]) -> list[list["_Pursuit"]]:
    """Those that can be written, such that no task is in a wave twice: a transaction takes an item once only."""
    waves: list[list[_Pursuit]] = []
    named: dict[int, int] = {}
    for pursuit in pursuits:
        if pursuit.key:
            earlier = named.get(pursuit.key.task_id, 0)
            if earlier == len(waves):
                waves.append([])
            waves[earlier].append(pursuit)
            named[pursuit.key.task_id] = earlier + 1
    return waves


def _count(pursuits: Iterable["_Pursuit"]) -> None:
    """For the operator: what moved from where to where, what did not, and what it took.

    A write that lands does not say what it found: the sources are all those that it would have landed on.
    """
    for pursuit in pursuits:
        count("Tries", pursuit.tries)
        count("LostRaces", max(0, pursuit.turned_down - 1))
        if pursuit.outcome and isinstance(pursuit.outcome.ruling, Refusal):
            count(f"Refused.{pursuit.outcome.ruling.kind.name}")
        if landed := pursuit.landed:
            if landed.task_instance:
                count(f"Moved.{_names(landed.premise.task_instance)}.{landed.task_instance.name}")
            count("ErrorEntries", int(landed.said.error is not None))


@cache
def _names(statuses: frozenset[TaskInstanceStatus]) -> str:
    return "+".join(sorted(status.name for status in statuses))


def _settle(pursuits: Sequence["_Pursuit"], deadline: Deadline) -> None:
    while pending := [pursuit for pursuit in pursuits if pursuit.open]:
        writes = [pursuit.write() for pursuit in pending]
        try:
            store.write_pairs(writes, deadline)
        except LostRaceError as lost:
            for pursuit, found in zip(pending, lost.found, strict=True):
                pursuit.learn(found)
            if deadline.passed() and any(pursuit.open for pursuit in pending):
                raise ContentionError("others kept changing the same instances; send it again") from lost
        else:
            for pursuit, write in zip(pending, writes, strict=True):
                pursuit.landed = write
                pursuit.close()


@dataclass(slots=True)
class _Pursuit:
    """A request on its way to a ruling that holds: what is believed of the pair, what was seen at the last try."""

    request: Request
    key: InstanceKey | None = field(init=False)
    """None: no instance can have this id."""
    standing: Standing = field(init=False)
    instance_seen: bool = False
    task_seen: bool = False
    open: bool = True
    outcome: Outcome | None = None
    found: TaskInstance | None = None
    """The instance as it last turned a write down."""
    tries: int = 0
    """Transactions that it was part of."""
    turned_down: int = 0
    """Of these, how many it turned down: the first may be a bet that was wrong, each further one a lost race."""
    landed: PairWrite | None = None
    """What was written in the end."""

    def __post_init__(self) -> None:
        self.key = keys.split_task_instance_id(self.request.task_instance_id)
        self.standing = self.request.report.usual

    def write(self) -> PairWrite:
        """The next try."""
        self.tries += 1
        ruling, holds = premise(self.request.report, self.standing)
        return PairWrite(
            key=instance_key(self.request.task_instance_id),
            premise=holds,
            task_instance=ruling.task_instance if isinstance(ruling, Move) else None,
            task=ruling.task if isinstance(ruling, Move) else None,
            said=self._to_store(ruling),
            only_run=self.request.only_run,
        )

    def _to_store(self, ruling: Ruling) -> Said:
        if isinstance(ruling, Move):
            return self.request.said.and_also(self.request.on_move)
        return NOTHING if ruling.kind in {Kind.FENCED, Kind.REPEATED} else self.request.said

    def learn(self, found: Found) -> None:
        """Take in what turned a write down, and close where that answers the request already."""
        elsewhere = found.task_instance and self.request.only_run not in {None, found.task_instance.workflow_run_id}
        if found.missing or elsewhere:
            self.open = False
            return
        self.turned_down += found.task_instance is not None or found.task is not None
        self.instance_seen, self.task_seen = found.task_instance is not None, found.task is not None
        if found.task_instance:
            self._see_instance(found.task_instance)
        if found.task:
            self.standing = self.standing._replace(
                task=TaskStatus(found.task.status),
                attempts_left=found.task.num_attempts < found.task.max_attempts,
                superseded=found.task.num_instances > self._number,
            )
        ruling, holds = premise(self.request.report, self.standing)
        if not isinstance(ruling, Move) and self._to_store(ruling) == NOTHING and self._certain(holds):
            self.close()

    def _see_instance(self, instance: TaskInstance) -> None:
        self.found = instance
        said, report_by, at = self.request.said, instance.report_by, now()
        self.standing = self.standing._replace(
            task_instance=TaskInstanceStatus(instance.status),
            overdue=report_by is not None and report_by < at,
            expected=report_by is not None and report_by >= at,
            same_worker=(said.nodename, said.process_group_id) == (instance.nodename, instance.process_group_id)
            and said.distributor_id in {None, instance.distributor_id},
        )

    def _certain(self, holds: Premise) -> bool:
        return self.instance_seen and (self.task_seen or (holds.task, holds.superseded) == (None, None))

    @property
    def _number(self) -> int:
        """Of the attempt."""
        return instance_key(self.request.task_instance_id).number

    def close(self) -> None:
        """The ruling on the present belief is the one that holds."""
        ruling, _ = premise(self.request.report, self.standing)
        told = status_told(ruling, self.standing)
        self.outcome = Outcome(ruling, told, self.found)
        self.open = False
