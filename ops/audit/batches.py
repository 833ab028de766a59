"""A batch of an array and its instances: steps without a gap, none twice, and what was last seen of each is sound."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from lockstep.array.item import NO_STEP, Batch, BatchAttention
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended, may_become
from lockstep.task_instance.item import (
    STEPS_PER_PARTITION,
    InstanceKey,
    TaskInstance,
    array_step_key,
    instance_key_of,
    instance_keys,
)
from ops.audit.finding import Finding
from ops.audit.ledger import BatchKey, Ledger
from ops.audit.parsing import parse
from ops.audit.reading import Reader
from ops.audit.tasks import some

STEP_GAP: Final = "step-gap"
LOOKS: Final = 3
"""At a batch whose instances the index may not show yet."""


class Member(NamedTuple):
    """An instance of the batch."""

    task_instance_id: int
    status: TaskInstanceStatus
    workflow_run_id: int | None
    """None: not kept."""
    expires: bool


class View(NamedTuple):
    """A batch at one look. It may grow while it is looked at."""

    key: BatchKey
    before: Sequence[Batch]
    """Its item and its parts, read before its instances."""
    members: Mapping[int, Sequence[Member]]
    """By step."""
    after: Sequence[Batch]
    """Its item and its parts, read after them."""
    runs: Mapping[int, int]
    """How many of the members are of each run."""


def suspicious(ledger: Ledger) -> Iterator[BatchKey]:
    """The batches that do not look right by what the scan saw of them and of their instances."""
    for key in sorted(ledger.steps.keys() | ledger.batches.keys()):
        batches = ledger.batches.get(key, [])
        steps = ledger.steps[key].by_step() if key in ledger.steps else {}
        members = {step: [Member(*pair, None, expires=False)] for step, pair in steps.items()}
        view = View(key, batches, members, batches, ledger.runs.get(key, {}))
        if key in ledger.torn or check(view):
            yield key


def look_again(key: BatchKey, ledger: Ledger, reader: Reader) -> list[Finding]:
    """What is wrong with a batch now. Where instances are missing, the index is given the time to show them."""
    findings: list[Finding] = []
    for look in range(LOOKS):
        if look:
            reader.pause()
        findings = check(_view(key, ledger, reader))
        if not any(finding.check == STEP_GAP for finding in findings):
            break
    return findings


def _view(key: BatchKey, ledger: Ledger, reader: Reader) -> View:
    before = _batches(key, reader)
    known = [number for number, _ in ledger.steps[key].by_step().values()] if key in ledger.steps else []
    size = max((batch.size for batch in before), default=0)
    for first in range(0, size, STEPS_PER_PARTITION):
        listed = reader.steps(array_step_key(*key, first))
        known += [instance_key_of(raw["pk"]["S"], raw["sk"]["S"]).id for raw in listed]
    wanted = [TaskInstance.key(InstanceKey(task_id, number)) for task_id, number in instance_keys(known)]
    members, runs = defaultdict(list), Counter[int]()
    for raw in reader.items(wanted).values():
        parsed = parse(raw)
        if isinstance(parsed, Finding):
            continue  # it is a finding already: its partition was looked at
        instance = parsed.item
        assert isinstance(instance, TaskInstance)
        if (instance.array_id, instance.array_batch_num) == key and instance.status in set(TaskInstanceStatus):
            members[instance.array_step_id].append(_member(instance))
            runs[instance.workflow_run_id] += 1
    return View(key, before, members, _batches(key, reader), runs)


def _member(instance: TaskInstance) -> Member:
    return Member(
        instance_key_of(instance.pk, instance.sk).id,
        TaskInstanceStatus(instance.status),
        instance.workflow_run_id,
        expires=instance.expires_at is not None,
    )


def _batches(key: BatchKey, reader: Reader) -> list[Batch]:
    parsed = [parse(raw) for raw in reader.partition(Batch.key(*key).pk)]
    return [each.item for each in parsed if not isinstance(each, Finding) and isinstance(each.item, Batch)]


def check(view: View) -> list[Finding]:
    """Everything that is wrong with a batch."""
    about = f"batch {view.key.batch_num} of array {view.key.array_id}"
    main = [batch for batch in view.after if not batch.is_part]
    if not main:
        ids = [member.task_instance_id for there in view.members.values() for member in there if not member.expires]
        return [Finding("batch-missing", about, f"without an item, with instances {some(ids)}", "there")] if ids else []
    return [
        *_doubles(about, view),
        *_gaps(about, view),
        *_sizes(about, main[0], view),
        *_runs(about, view),
        *(finding for batch in view.before for finding in _seen(about, batch, view.members)),
        *(finding for batch in view.after for finding in _attention(about, batch)),
    ]


def _doubles(about: str, view: View) -> Iterator[Finding]:
    for step, there in sorted(view.members.items()):
        if len(there) > 1:
            ids = some(member.task_instance_id for member in there)
            yield Finding("step-twice", f"step {step} of {about}", f"of task instances {ids}", "of one")


def _gaps(about: str, view: View) -> Iterator[Finding]:
    """A step that a letter stands for has an instance, and no instance has another one."""
    claimed = {step for batch in view.before for step, letter in enumerate(batch.seen) if letter != NO_STEP}
    missing = sorted(claimed - view.members.keys())
    if missing and not _may_have_expired(view.before):
        yield Finding(STEP_GAP, about, f"without steps {some(missing)}", "an instance at each")
    allowed = {step for batch in view.after for step, letter in enumerate(batch.seen) if letter != NO_STEP}
    beyond = sorted(view.members.keys() - allowed)
    if beyond:
        ids = (member.task_instance_id for step in beyond for member in view.members[step])
        yield Finding("step-beyond", about, f"with task instances {some(ids)} at steps {some(beyond)}", "without them")


def _may_have_expired(batches: Iterable[Batch]) -> bool:
    return any(batch.expires_at is not None for batch in batches)


def _sizes(about: str, batch: Batch, view: View) -> Iterator[Finding]:
    counts = {
        sum(letter != NO_STEP for each in batches for letter in each.seen) for batches in (view.before, view.after)
    }
    if batch.num_instances not in counts:
        yield Finding("batch-size", about, f"said to have {batch.num_instances} instances", some(sorted(counts)))
    for each in view.after:
        if len(each.seen) != each.size:
            yield Finding("batch-size", f"{about}, {each.sk}", f"{len(each.seen)} letters in seen", f"{each.size}")


def _runs(about: str, view: View) -> Iterator[Finding]:
    """Every step stands in the part of its instance's run."""
    if _may_have_expired(view.after):
        return
    most = {batch.workflow_run_id: _letters(batch) for batch in view.after}
    wrong = {run: count for run, count in view.runs.items() if count > most.get(run, 0)}
    for run, count in sorted(wrong.items()):
        yield Finding(
            "batch-run", about, f"with {count} instances of workflow run {run}", f"at most {most.get(run, 0)}"
        )
    for batch in view.after:
        if batch.is_part and batch.sk != Batch.part_key(*view.key, batch.workflow_run_id).sk:
            yield Finding("batch-run", f"{about}, {batch.sk}", f"of run {batch.workflow_run_id}", "of the run it names")


def _letters(batch: Batch) -> int:
    return sum(letter != NO_STEP for letter in batch.seen)


def _seen(about: str, batch: Batch, members: Mapping[int, Sequence[Member]]) -> Iterator[Finding]:
    """A letter is a status that the instance may have come from."""
    unknown = sorted({letter for letter in batch.seen if letter != NO_STEP} - set(TaskInstanceStatus))
    if unknown:
        yield Finding("batch-seen", f"{about}, {batch.sk}", f"with letters {', '.join(unknown)}", "statuses")
        return
    for step, letter in enumerate(batch.seen):
        for member in members.get(step, ()) if letter != NO_STEP else ():
            if not may_become(TaskInstanceStatus(letter), member.status):
                where = f"step {step} of {about}, task instance {member.task_instance_id}"
                yield Finding("batch-seen", where, f"seen in {letter} and now {member.status}", "in what may follow")


def _attention(about: str, batch: Batch) -> Iterator[Finding]:
    """It is in the run index exactly while somebody was last seen in it who has not ended."""
    where = f"{about}, {batch.sk}"
    attention: str | None = batch.attention
    letters = {letter for letter in batch.seen if letter != NO_STEP}
    ended = all(letter in set(TaskInstanceStatus) and has_ended(TaskInstanceStatus(letter)) for letter in letters)
    if attention is None and not ended:
        yield Finding("batch-attention", where, "none, so no sweep ever looks at it", "some: not all were seen to end")
    if attention is not None and ended:
        yield Finding("batch-attention", where, attention, "none: all were seen to end")
    if attention is not None and not _well_formed(attention):
        yield Finding("batch-attention", where, repr(attention), f"as {BatchAttention(0.0, waiting=True)}")


def _well_formed(attention: str) -> bool:
    try:
        return str(BatchAttention.parse(attention)) == attention
    except ValueError:
        return False
