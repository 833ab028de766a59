"""Carry out reports: make a ruling, write it, and make it again on the items that rejected the write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb import client
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.errors import ContentionError
from lockstep.fsm.guards import Guard, decide
from lockstep.fsm.reports import status_told
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, PairState, Refusal, RefusalKind, Ruling
from lockstep.observability import count, record_move, record_refusal
from lockstep.task_instance import store
from lockstep.task_instance.item import TaskInstance
from lockstep.task_instance.report import NO_FIELDS, Report, ReportedFields
from lockstep.task_instance.sender import is_just_claimed, may_report_on, not_there, sender_of
from lockstep.task_instance.store import PairWrite, Rejection, RunsEndedError, WriteRejectedError


class Outcome(NamedTuple):
    """The outcome of a report."""

    ruling: Ruling
    status: TaskInstanceStatus
    """The status that the caller is told."""
    rejected_by: TaskInstance | None
    """The instance as it last rejected a write; None if it never did."""

    @property
    def moved(self) -> bool:
        """Whether the instance moved: to the report's target, or where the rules sent it instead."""
        return isinstance(self.ruling, Move)


def transit_ti_and_t(report: Report) -> Outcome:
    """Move a task instance and its task in one transaction, or neither.

    The first transaction reads nothing: it assumes the pair state in which the report usually comes. A rejected
    transaction returns the items as they stand; the ruling is made on them and sent again. Each write carries the guard
    of its ruling (fsm/guards.py). What is refused because another worker node or job sent it is counted at the
    instance.
    Source: Jobmon's function of the same name.

    Raises:
        NotFoundError: the instance does not exist.
        ForbiddenError: the instance is of another workflow run than the one that the caller's token is for.
        ContentionError: other writers kept winning until the deadline. Nothing was written.
        TableError: DynamoDB does not answer. The write may have landed; the same report again is safe.
    """
    [outcome] = transit_many([report])
    if outcome is None:
        raise not_there(report.instance)
    if isinstance(outcome.ruling, Refusal) and outcome.ruling.of_another:
        store.note_refusal(report.instance)
    return outcome


def transit_many(reports: Iterable[Report]) -> list[Outcome | None]:
    """Call transit_ti_and_t for many instances, in order; None where an instance does not exist, or open_run has ended.

    A transaction takes as many pairs as it holds. Where it is rejected, the pairs that rejected it are decided again
    and the rest is sent again. What is written stays when a later transaction fails; the same call again does the
    rest. Attempts at one task are written one after the other, in order.

    Raises:
        ContentionError, TableError: as transit_ti_and_t.
    """
    in_flight = [_InFlight(report) for report in reports]
    most = max((each.report.fields.merged(each.report.on_move).actions for each in in_flight), default=1)
    try:
        for wave in _waves(in_flight):
            runs = len(_unended_runs(wave))
            transactions = chunks(wave, _pairs_per_transaction(runs, most))
            if runs:  # side by side, transactions would conflict over the run's item
                for some in transactions:
                    _carry_out(some)
            else:
                run_parallel(_carry_out, transactions)
    finally:
        _count(in_flight)
    return [each.outcome for each in in_flight]


def _pairs_per_transaction(runs: int, most: int) -> int:
    """Return the reports that fit a transaction beside its checks of their runs: none, one for all, or one a report.

    most: the actions that a report takes.
    """
    if runs > 1:
        return client.ACTIONS_PER_TRANSACTION // (most + 1)
    return (client.ACTIONS_PER_TRANSACTION - runs) // most


def _unended_runs(in_flight: Iterable["_InFlight"]) -> set[int]:
    return {each.report.open_run for each in in_flight if each.report.open_run is not None}


def _waves(in_flight: Sequence["_InFlight"]) -> list[list["_InFlight"]]:
    """Split the reports so that no wave names a task twice: a transaction takes an item once only."""
    waves: list[list[_InFlight]] = []
    earlier: dict[int, int] = {}
    for each in in_flight:
        task_id = each.report.instance.task_id
        wave = earlier.get(task_id, 0)
        if wave == len(waves):
            waves.append([])
        waves[wave].append(each)
        earlier[task_id] = wave + 1
    return waves


def _count(in_flight: Iterable["_InFlight"]) -> None:
    """Count moves by source and target, refusals, and tries.

    A transaction that succeeds does not say what it found. The sources are all statuses that its guard allows.
    """
    for each in in_flight:
        count("Tries", each.tries)
        count("LostRaces", max(0, each.rejections - 1))
        if each.outcome and isinstance(each.outcome.ruling, Refusal):
            count(f"Refused.{each.outcome.ruling.kind.name}")
            record_refusal(each.outcome.ruling.reason, kind=each.outcome.ruling.kind.name)
        if write := each.written:
            if isinstance(write.ruling, Move):
                sources, target = write.guard.task_instance, write.ruling.task_instance.name
                count(f"Moved.{_joined(sources)}.{target}")
                record_move(_joined(sources) if len(sources) == 1 else None, target)
            count("ErrorEntries", int(write.fields.error is not None))


@cache
def _joined(statuses: frozenset[TaskInstanceStatus]) -> str:
    return "+".join(sorted(status.name for status in statuses))


def _carry_out(in_flight: Sequence["_InFlight"]) -> None:
    """Write the reports in one transaction, and again those that it leaves undecided."""
    while pending := [each for each in in_flight if each.undecided]:
        writes = [each.next_write() for each in pending]
        try:
            store.write_pairs(writes, _unended_runs(pending))
        except RunsEndedError as ended:
            for each in pending:
                each.undecided = each.report.open_run not in ended.runs
            count("RunEnded", sum(not each.undecided for each in pending))
        except WriteRejectedError as rejected:
            for each, rejection in zip(pending, rejected.rejections, strict=True):
                each.on_rejected(rejection)
            if deadline().passed() and any(each.undecided for each in pending):
                raise ContentionError("other writers kept changing the same instances; send it again") from rejected
        else:
            for each, write in zip(pending, writes, strict=True):
                each.written = write
                each.close()


_STORE_NOTHING: Final = frozenset({RefusalKind.FENCED, RefusalKind.OTHER_JOB, RefusalKind.REPEATED})
"""Refusals of reports whose fields belong to another worker node or job, or are stored already."""


@dataclass(slots=True)
class _InFlight:
    """A report on its way to a ruling that holds."""

    report: Report
    state: PairState = field(init=False)
    """The pair state: assumed at first, then as the items that rejected a write show it."""
    ruling: Ruling = field(init=False)
    """On that state."""
    guard: Guard = field(init=False)
    """The pair states under which the ruling is the same."""
    instance_returned: bool = False
    """The instance rejected the last write."""
    task_returned: bool = False
    """The task rejected the last write."""
    undecided: bool = True
    outcome: Outcome | None = None
    rejected_by: TaskInstance | None = None
    tries: int = 0
    """The transactions in which it was sent."""
    rejections: int = 0
    """The transactions that it rejected. The first may be a wrong assumption; so may the second, where the
    first returned one item only. Others are lost races."""
    written: PairWrite | None = None
    """The write that succeeded."""

    def __post_init__(self) -> None:
        self._rule_on(self.report.rule.assumed)

    def _rule_on(self, state: PairState) -> None:
        self.state = state
        self.ruling, self.guard = decide(self.report.rule, state)

    def next_write(self) -> PairWrite:
        self.tries += 1
        last_claim = self.rejected_by.claimed_at if self.rejected_by else None
        return PairWrite(self.report.instance, self.ruling, self.guard, self._fields_to_store(), last_claim)

    def _fields_to_store(self) -> ReportedFields:
        if isinstance(self.ruling, Move):
            return self.report.fields.merged(self.report.on_move)
        return NO_FIELDS if self.ruling.kind in _STORE_NOTHING else self.report.fields

    def on_rejected(self, rejection: Rejection) -> None:
        """Make the ruling on the items that rejected a write. Close where nothing is left to write."""
        instance, task = rejection.task_instance, rejection.task
        elsewhere = instance and not may_report_on(instance)
        if rejection.missing or elsewhere:
            self.undecided = False
            return
        self.rejections += instance is not None or task is not None
        self.instance_returned, self.task_returned = instance is not None, task is not None
        state = self.state
        if instance:
            self.rejected_by = instance
            state = self._with_instance(instance)
        if task:
            state = state._replace(
                task=TaskStatus(task.status),
                attempts_left=task.num_attempts < task.max_attempts,
                superseded=task.num_instances > self.report.instance.number,
            )
        self._rule_on(state)
        refused = isinstance(self.ruling, Refusal)
        if refused and self._fields_to_store() == NO_FIELDS and self._is_certain():
            self.close()

    def _with_instance(self, instance: TaskInstance) -> PairState:
        report_by, at = instance.report_by, now()
        who = sender_of(self.report.rule, self.report.fields, instance)
        return self.state._replace(
            task_instance=TaskInstanceStatus(instance.status),
            overdue=report_by is not None and report_by < at,
            not_yet_due=report_by is not None and report_by >= at,
            sender=who,
            just_claimed=self.report.rule.claims and is_just_claimed(who, instance, at),
        )

    def _is_certain(self) -> bool:
        """Whether the last rejection returned everything that the ruling depends on."""
        return self.instance_returned and (self.task_returned or not self.guard.concerns_task)

    def close(self) -> None:
        """Take the present ruling as the one that holds."""
        self.outcome = Outcome(self.ruling, status_told(self.ruling, self.state), self.rejected_by)
        self.undecided = False
