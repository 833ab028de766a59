"""Check the batches: what the scan shows wrong is read again."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from lockstep.array.item import Batch
from lockstep.task_instance.item import (
    STEPS_PER_PARTITION,
    InstanceKey,
    TaskInstance,
    array_step_key,
    instance_key_of,
    instance_keys,
)
from ops.audit.invariants import batch
from ops.audit.invariants.batch import STEP_GAP, BatchKey, BatchView, Member
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.parsing import INSTANCE_STATUSES, Parsed
from ops.audit.reader import STEP_INDEX, Reads
from ops.audit.seen import Seen

LOOKS: Final = 3
"""How often a batch is read while the index may not show all of its instances yet."""


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The broken invariants of all batches."""
    for key in sorted(seen.steps.keys() | seen.batches.keys()):
        members = {step: [member] for step, member in seen.steps[key].members().items()}
        scanned = BatchView(key, seen.batches[key], members, seen.batches[key], seen.runs[key])
        if key in seen.doubled or batch.check(scanned):
            yield from _check_again(key, seen, reads)


def _check_again(key: BatchKey, seen: Seen, reads: Reads) -> list[Finding]:
    """The broken invariants of a batch now. Where instances are missing, the index gets time to show them."""
    for _ in range(LOOKS - 1):
        findings = batch.check(_read(key, seen, reads))
        if not any(finding.check == STEP_GAP for finding in findings):
            return findings
        reads.pause()
    return batch.check(_read(key, seen, reads))


def _read(key: BatchKey, seen: Seen, reads: Reads) -> BatchView:
    before = _read_batch(key, reads)
    ids = [member.task_instance_id for member in seen.steps[key].members().values()]
    for first in range(0, max((each.size for each in before), default=0), STEPS_PER_PARTITION):
        ids += [
            instance_key_of(raw["pk"]["S"], raw["sk"]["S"]).id
            for raw in reads.listed(STEP_INDEX, array_step_key(*key, first))
        ]
    members, runs = defaultdict(list), Counter[int]()
    for raw in reads.items(map(TaskInstance.key, instance_keys(ids))).values():
        match reads.parse(raw):
            case Parsed(TaskInstance() as instance, ids_of_key) if _is_of(instance, key):
                members[instance.array_step_id].append(Member.of(InstanceKey(*ids_of_key).id, instance))
                runs[instance.workflow_run_id] += 1
    return BatchView(key, before, members, _read_batch(key, reads), runs)


def _is_of(instance: TaskInstance, key: BatchKey) -> bool:
    of_batch = (instance.array_id, instance.array_batch_num) == key
    return of_batch and instance.status in INSTANCE_STATUSES


def _read_batch(key: BatchKey, reads: Reads) -> list[Batch]:
    parsed = map(reads.parse, reads.partition(Batch.key(*key).pk))
    return [each.item for each in parsed if isinstance(each, Parsed) and isinstance(each.item, Batch)]
