"""A batch of an array and its instances: one instance at each step, and every note about it is true."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from lockstep.array.item import NO_STEP, Batch, NextCheck
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended, may_become
from lockstep.task_instance.item import TaskInstance
from lockstep.workflow_run.sweep import earliest_overdue
from ops.audit.invariants.finding import Finding, first_of
from ops.audit.invariants.parsing import INSTANCE_STATUSES

STEP_GAP: Final = "step-gap"


class BatchKey(NamedTuple):
    """The array and the number of a batch."""

    array_id: int
    batch_num: int


class Member(NamedTuple):
    """An instance of a batch."""

    task_instance_id: int
    status: TaskInstanceStatus
    expires: bool = False

    @classmethod
    def of(cls, task_instance_id: int, instance: TaskInstance) -> "Member":
        """Take from a stored instance what its batch's invariants need."""
        return cls(task_instance_id, TaskInstanceStatus(instance.status), instance.expires_at is not None)


class BatchView(NamedTuple):
    """A batch as it was read. It may have grown between the reads."""

    key: BatchKey
    before: Sequence[Batch]
    """Its item and its parts, read before its instances."""
    members: Mapping[int, Sequence[Member]]
    """By step."""
    after: Sequence[Batch]
    """Its item and its parts, read after its instances."""
    runs: Mapping[int, int]
    """The number of its instances by workflow run."""

    @property
    def name(self) -> str:
        """The batch's name in findings."""
        return f"batch {self.key.batch_num} of array {self.key.array_id}"


def steps_of(batch: Batch) -> dict[int, str]:
    """The letters of seen by step, without steps that the batch does not have."""
    return {step: letter for step, letter in enumerate(batch.seen) if letter != NO_STEP}


def check(view: BatchView) -> list[Finding]:
    """The broken invariants of a batch."""
    main = [batch for batch in view.after if not batch.is_part]
    if not main:
        ids = [each.task_instance_id for there in view.members.values() for each in there if not each.expires]
        got = f"without an item, with instances {first_of(ids)}"
        return [Finding("batch-missing", view.name, got, "there")] if ids else []
    findings = [*_steps(view), *_sizes(main[0], view), *_runs(view)]
    for batch in view.before:
        findings += _seen(batch, view)
    for batch in view.after:
        findings += _attention(batch, view)
    return findings


def _steps(view: BatchView) -> Iterator[Finding]:
    """Each step that a batch notes has one instance, and no instance has another step."""
    for step, there in sorted(view.members.items()):
        if len(there) > 1:
            got = f"of task instances {first_of(member.task_instance_id for member in there)}"
            yield Finding("step-twice", f"step {step} of {view.name}", got, "of one")
    missing = sorted({step for batch in view.before for step in steps_of(batch)} - view.members.keys())
    if missing and not _may_have_expired(view.before):
        yield Finding(STEP_GAP, view.name, f"without steps {first_of(missing)}", "an instance at each")
    beyond = sorted(view.members.keys() - {step for batch in view.after for step in steps_of(batch)})
    if beyond:
        ids = first_of(member.task_instance_id for step in beyond for member in view.members[step])
        got = f"with task instances {ids} at steps {first_of(beyond)}"
        yield Finding("step-beyond", view.name, got, "without them")


def _may_have_expired(batches: Sequence[Batch]) -> bool:
    return any(batch.expires_at is not None for batch in batches)


def _sizes(main: Batch, view: BatchView) -> Iterator[Finding]:
    counts = {sum(len(steps_of(each)) for each in batches) for batches in (view.before, view.after)}
    if main.num_instances not in counts:
        got = f"said to have {main.num_instances} instances"
        yield Finding("batch-size", view.name, got, first_of(sorted(counts)))
    for batch in view.after:
        if len(batch.seen) != batch.size:
            yield Finding(
                "batch-size", f"{view.name}, {batch.sk}", f"{len(batch.seen)} letters in seen", f"{batch.size}"
            )


def _runs(view: BatchView) -> Iterator[Finding]:
    """Every step is in the part of its instance's run."""
    if _may_have_expired(view.after):
        return
    steps = {batch.workflow_run_id: len(steps_of(batch)) for batch in view.after}
    for run, count in sorted(view.runs.items()):
        if count > (most := steps.get(run, 0)):
            yield Finding("batch-run", view.name, f"with {count} instances of workflow run {run}", f"at most {most}")
    for batch in view.after:
        if batch.is_part and batch.sk != Batch.part_key(*view.key, batch.workflow_run_id).sk:
            must = "of the run that it names"
            yield Finding("batch-run", f"{view.name}, {batch.sk}", f"of run {batch.workflow_run_id}", must)


def _seen(batch: Batch, view: BatchView) -> Iterator[Finding]:
    """A letter is a status from which the instance may have come."""
    steps = steps_of(batch)
    if unknown := sorted(set(steps.values()) - INSTANCE_STATUSES):
        yield Finding("batch-seen", f"{view.name}, {batch.sk}", f"with letters {', '.join(unknown)}", "statuses")
        return
    for step, letter in steps.items():
        for member in view.members.get(step, ()):
            if not may_become(TaskInstanceStatus(letter), member.status):
                about = f"step {step} of {view.name}, task instance {member.task_instance_id}"
                yield Finding("batch-seen", about, f"seen in {letter} and now {member.status}", "in what may follow")


def _attention(batch: Batch, view: BatchView) -> Iterator[Finding]:
    """A batch is in the run index exactly until all its instances were seen to end."""
    about = f"{view.name}, {batch.sk}"
    attention: str | None = batch.attention
    ended = all(each in INSTANCE_STATUSES and has_ended(TaskInstanceStatus(each)) for each in steps_of(batch).values())
    if attention is None and not ended:
        yield Finding("batch-attention", about, "none, so no sweep ever checks it", "some: not all were seen to end")
    if attention is not None and ended:
        yield Finding("batch-attention", about, attention, "none: all were seen to end")
    if attention is not None and parse_attention(attention) is None:
        yield Finding("batch-attention", about, repr(attention), f"as {NextCheck(0.0, waiting=True)}")


def parse_attention(attention: str) -> NextCheck | None:
    """Read a batch's attention; None where it is malformed."""
    try:
        parsed = NextCheck.parse(attention)
    except ValueError:
        return None
    return parsed if str(parsed) == attention else None


def lateness(batch: Batch, instance: TaskInstance, at: float) -> float:
    """The seconds by which the batch's next check comes too late for an instance that has not ended."""
    attention = parse_attention(batch.attention or "")
    return (attention.due if attention else float("inf")) - max(at, earliest_overdue(instance, at))
