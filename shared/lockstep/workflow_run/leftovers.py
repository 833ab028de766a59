"""After a resume was requested: stop what ended runs of the workflow left, before another run is linked.

A run that ends for a resume stops its own instances. A run that ended by itself leaves its launched and running
instances, and a hot resume leaves the running ones: they may still succeed, unless their tasks start over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from pynamodb.expressions.update import Action

from lockstep.array.item import Batch
from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import Portion, in_groups, in_portions
from lockstep.array.run_index import read_batches, unended_keys
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, update
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.parallel import run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.fsm.transitions import UNENDED
from lockstep.observability import record_refusal
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances_of_run
from lockstep.workflow.item import Workflow
from lockstep.workflow.read import MOST_RUNS, newest_runs
from lockstep.workflow_run.read import ended_among
from lockstep.workflow_run.terminate import stop

TI = TaskInstanceStatus
_ENOUGH_UNNOTED: Final = 0.3
"""The share of the time after which a call notes the batches in which nothing may run."""
_ENOUGH: Final = 0.6
"""The share of the time after which a call turns to no other group of batches."""


def note_resume(workflow_id: int, resume: WorkflowRunStatus) -> None:
    """Note in a workflow how a resume was requested. The note stays until the next request.

    A hot resume replaces a cold one only if a run has been linked since: until then a client may wait that relies on
    the cold one.
    """
    changes: list[Action] = [Workflow.resume.set(resume), Workflow.linked_since.remove()]
    condition = Workflow.pk.exists()
    if resume is WorkflowRunStatus.HOT_RESUME:
        cold = Workflow.resume == WorkflowRunStatus.COLD_RESUME
        condition &= ~cold | Workflow.linked_since.exists()
    try:
        update(Workflow.key(workflow_id), changes, condition)
    except ConditionFailedError:
        record_refusal("a cold resume was requested, and no run was linked since: it stays cold")


class Pending(NamedTuple):
    """What counts of an instance in KILL_SELF. A workflow may have hundreds of thousands."""

    may_report: bool
    """Its worker node may still report."""
    may_run: bool
    """A worker node has claimed it, too."""


def pending(found: Mapping[InstanceKey, TaskInstance]) -> dict[InstanceKey, Pending]:
    """Those of some instances that are in KILL_SELF."""
    return {
        key: Pending(may_report(instance), _may_run(instance, hot=False))
        for key, instance in found.items()
        if instance.status == TI.KILL_SELF
    }


class Left(NamedTuple):
    """What ended runs left, once it was stopped."""

    may_run: bool
    """A worker node may still run some of it, or could not be told to stop."""
    told: AbstractSet[InstanceKey]
    """What was put into KILL_SELF, now or before."""
    in_kill_self: Mapping[InstanceKey, Pending]
    """What is in it by consistent reads, of all or of what there was time for."""


NOTHING: Final = Left(may_run=False, told=frozenset(), in_kill_self={})


def stop_leftovers(workflow_id: int, workflow: Workflow) -> Left:
    """If a resume was ever requested, stop what ended runs left, and return what is left after that.

    Instances in TRIAGING and NO_HEARTBEAT end with an error. A worker node that reports later hears that and stops.

    Raises:
        UnavailableError: some instances may have been stopped; the same call again stops the rest. It passes the
            batches of which this call found that nothing may run.
    """
    if not workflow.resume:
        return NOTHING
    hot = workflow.resume == WorkflowRunStatus.HOT_RESUME
    newest = newest_runs(workflow_id, MOST_RUNS)
    pass_ = _Pass(f"{workflow.resume}#{newest[0] if newest else 0}#")
    told: set[InstanceKey] = set()
    in_kill_self: dict[InstanceKey, Pending] = {}
    may_run = False
    for number, (run, batches) in enumerate(_left_by(sorted(ended_among(newest)), pass_)):
        if number and deadline().spent(_ENOUGH):
            raise UnavailableError("what ended runs left is stopped in part; send it again for the rest")
        told.update(stop(run, hot=hot, fail_silent=True, batches=batches).in_kill_self)
        if may_run:
            continue
        looked = _look(run, batches)
        in_kill_self |= pending(looked.found)
        may_run = not looked.whole or any(_may_run(each, hot=hot) for each in looked.found.values())
        if not may_run:
            pass_.add(batches)
    return Left(may_run, told, in_kill_self)


PASSED_SECONDS: Final = 300.0
"""The seconds for which a batch is passed in which nothing may run: a client repeats its call within them."""


class _Pass:
    """The batches in which calls have found that nothing may run any more.

    A call that may not have the time to look at everything notes them, so that the next call passes them.
    """

    def __init__(self, resume: str) -> None:
        """resume: what tells this resume from others: its kind, and the newest run that was linked before it."""
        self._resume = resume
        self._unnoted: list[Batch] = []

    def has(self, batch: Batch) -> bool:
        noted = batch.stopped_for or ""
        return noted.startswith(self._resume) and now() < float(noted.removeprefix(self._resume)) + PASSED_SECONDS

    def add(self, batches: Iterable[Batch]) -> None:
        self._unnoted += batches
        if deadline().spent(_ENOUGH_UNNOTED):
            self._note()

    def _note(self) -> None:
        noted = f"{self._resume}{now()}"
        run_parallel(partial(_note_stopped, noted), [batch for batch in self._unnoted if not batch.grows_until])
        self._unnoted = []


def _note_stopped(noted: str, batch: Batch) -> None:
    changes: list[Action] = [Batch.stopped_for.set(noted), *Batch.renewed(now())]
    with suppress(ConditionFailedError):  # it has expired
        update(Key(batch.pk, batch.sk), changes, Batch.pk.exists())


def _left_by(runs: Iterable[int], pass_: _Pass) -> Iterator[tuple[int, list[Batch]]]:
    """Yield the batches that runs left and that are not passed, in groups that are worked on between two looks.

    Each run is listed twice, for a query may miss a batch that moves in the index meanwhile.
    """
    for run in runs:
        listed: set[Key] = set()
        for _ in range(2):
            batches = (batch for batch in _others(run, listed) if not pass_.has(batch))
            for group in in_groups(Portion(batch, _unended_steps(batch), last=True) for batch in batches):
                yield run, [portion.batch for portion in group]


def _others(workflow_run_id: int, listed: set[Key]) -> Iterator[Batch]:
    """Yield a run's batches that are not listed yet, and list them."""
    for batch in read_batches(key for key in unended_keys(workflow_run_id) if key not in listed):
        listed.add(Key(batch.pk, batch.sk))
        yield batch


def _unended_steps(batch: Batch) -> list[int]:
    return [step for step, letter in enumerate(batch.seen) if letter in UNENDED]


class _Looked(NamedTuple):
    found: dict[InstanceKey, TaskInstance]
    whole: bool
    """Whether there was time for all."""


def _look(workflow_run_id: int, batches: Iterable[Batch]) -> _Looked:
    """Read what has not ended of some batches consistently, once it was stopped.

    The index of what is in KILL_SELF would not do: it may lag behind. There is time for all but a batch of many
    portions.
    """
    found: dict[InstanceKey, TaskInstance] = {}
    as_noted_now = read_batches(Key(batch.pk, batch.sk) for batch in batches)
    for number, group in enumerate(in_groups(in_portions(as_noted_now, UNENDED))):
        if number and deadline().spent(_ENOUGH):
            return _Looked(found, whole=False)
        found |= _read(workflow_run_id, group)
    return _Looked(found, whole=True)


def _read(workflow_run_id: int, group: Sequence[Portion]) -> dict[InstanceKey, TaskInstance]:
    """Read a run's instances in some portions, and note in their batches how they stand."""
    shown = run_parallel(Portion.instances, group)
    whole = [(portion, steps) for portion, steps in zip(group, shown, strict=True) if steps is not None]
    if len(whole) < len(group):
        raise UnavailableError(f"a batch of workflow run {workflow_run_id} is not indexed as a whole yet")
    keys = (key for _, steps in whole for key in steps.values())
    found = read_instances_of_run(workflow_run_id, keys, consistent=True)
    remember(Seen.read(portion, steps, found) for portion, steps in whole if not portion.batch.grows_until)
    return found


def _may_run(instance: TaskInstance, *, hot: bool) -> bool:
    """Whether a worker node may run an instance that should have stopped, or could begin to run it."""
    status = TI(instance.status)
    if status is TI.KILL_SELF:
        return instance.claimed_at is not None and may_report(instance)
    return status in UNENDED and not (hot and status is TI.RUNNING)


def may_report(instance: TaskInstance) -> bool:
    """Whether the time has not passed until which an instance's worker node may be silent."""
    return (instance.report_by or 0.0) >= now()
