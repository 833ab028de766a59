"""Read a table and check it."""

from collections.abc import Iterator

from lockstep.dynamodb.item import RawItem
from ops.audit import batches, clusters, dags, indexes, lists, lookups, references, runs, tasks, tools, workflows
from ops.audit.invariants import task
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.task import TaskItems
from ops.audit.reader import Reads
from ops.audit.seen import Seen


def audit(reads: Reads, seen: Seen) -> Iterator[Finding]:
    """Check everything in the table, and count it in `seen`.

    What a scan shows wrong is read again, consistently, and reported if it is still wrong: a table that is written
    meanwhile gives no false findings.

    Raises:
        CannotReadError: the table could not be read to its end.
    """
    given_out = tasks.ids_given_out(reads)
    for pk, raws in reads.partitions():
        if pk.startswith("TASK#"):
            yield from _task(pk, raws, reads, seen)
        else:
            for raw in raws:
                yield from _other(raw, reads, seen)
    yield from batches.check(seen, reads)
    yield from indexes.check(seen, reads)
    yield from references.check(seen, reads)
    yield from tasks.check(seen, reads, given_out)
    yield from workflows.check(seen, reads)
    yield from runs.check(seen, reads)
    yield from dags.check(seen, reads)
    yield from clusters.check(seen, reads)


def _task(pk: str, raws: list[RawItem], reads: Reads, seen: Seen) -> Iterator[Finding]:
    items = TaskItems.of(pk, map(reads.parse, raws))
    if task.check(items):
        items = TaskItems.of(pk, map(reads.parse, reads.task(pk)))
        yield from task.check(items)
    seen.add_task(items)


def _other(raw: RawItem, reads: Reads, seen: Seen) -> Iterator[Finding]:
    parsed = reads.parse(raw)
    if isinstance(parsed, Finding):
        seen.unreadable += 1
        yield parsed
        return
    yield from lookups.check_item(parsed, reads)
    yield from tools.check_item(parsed, reads)
    yield from dags.check_item(parsed, reads)
    yield from lists.check_item(parsed)
    yield from tasks.check_item(parsed)
    yield from runs.check_item(parsed, reads)
    if wrong := seen.add(parsed):
        yield wrong
