"""Check that tasks are where their workflow looks for them: found by their natural key, in a range, counted, polled."""

import json
import zlib
from collections.abc import Iterator

from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.task.arguments import TASKS_PER_CHUNK
from lockstep.task.bound_item import ArgumentChunk, TaskLookup
from lockstep.task.item import Task, feed_keys
from lockstep.text import digest
from lockstep.workflow.item import TaskRange, Workflow
from ops.audit.invariants.finding import Finding, first_of, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model, read_models
from ops.audit.seen import Seen
from ops.audit.seen_tasks import SeenTasks, arrays_of, must_have_lookup, natural_key


def check_item(parsed: Parsed) -> Iterator[Finding]:
    """Arguments of tasks lie under a digest of their content, with those of neighbouring ids."""
    item, ids = parsed
    if not isinstance(item, ArgumentChunk):
        return
    content = _unpacked(item)
    if content is None or item.sk != digest(content):
        yield Finding("task-args", in_words(item), "other content", "content of this digest")
        return
    others = sorted({task_id for task_id, *_ in json.loads(content) if task_id // TASKS_PER_CHUNK != ids[0]})
    if others:
        yield Finding("task-args", in_words(item), f"of tasks {first_of(others)}", "of tasks of this number")


def _unpacked(item: ArgumentChunk) -> str | None:
    try:
        return zlib.decompress(item.packed).decode()
    except (zlib.error, UnicodeDecodeError):
        return None


def ids_given_out(reads: Reads) -> int:
    """The last task id that was given out. A later one may be bound while the table is read."""
    counter = read_model(Counter, Counter.key("task"), reads)
    return counter.last if counter else 0


def check(seen: Seen, reads: Reads, given_out: int) -> Iterator[Finding]:
    """The broken invariants between tasks and their workflows. given_out: the last task id before the scan."""
    for chunk in chunks(seen.of_tasks.misplaced(), KEYS_PER_READ):
        yield from _places(chunk, reads)
    missing: set[int] = set()
    for chunk in chunks(seen.of_tasks.misled(), KEYS_PER_READ):
        yield from _lookups(chunk, seen.of_tasks, missing, reads)
    yield from _missing_lookups({task_id for task_id in missing if task_id <= given_out}, reads)
    for chunk in chunks(_miscounted(seen), KEYS_PER_READ):
        yield from _counts(chunk, seen.of_tasks, reads)


def _places(task_ids: list[int], reads: Reads) -> Iterator[Finding]:
    """A range of its workflow holds each task, under the array of its first binding."""
    tasks = read_models(Task, map(Task.key, task_ids), reads)
    ids: dict[int, set[int]] = {}
    for task_id in task_ids:
        task = tasks.get(Task.key(task_id))
        if task and task.feed is not None:
            ids.setdefault(task.workflow_id, set()).add(task_id)
    for workflow_id, wanted in ids.items():
        arrays = _arrays(workflow_id, wanted, reads)
        for task_id in sorted(wanted):
            task = tasks[Task.key(task_id)]
            about, must = f"task {task_id}", f"in one of workflow {workflow_id}, as of array {task.array_id}"
            if task_id not in arrays:
                yield Finding("task-range", about, "in no range of task ids", must)
            elif (noted := arrays[task_id]) == 0:
                yield Finding("task-range", about, "noted as not in use", must)
            elif noted not in {None, task.array_id} and task.spec_version == 1:
                yield Finding("task-range", about, f"noted as of array {noted}", must)


def _arrays(workflow_id: int, wanted: set[int], reads: Reads) -> dict[int, int | None]:
    """The array that ranges note of each wanted task id which they hold. None: nobody said."""
    found: dict[int, int | None] = {}
    for raw in reads.partition(Workflow.key(workflow_id).pk):
        match reads.parse(raw):
            case Parsed(TaskRange() as noted, _):
                found |= dict.fromkeys(wanted.intersection(noted.ids))
                first = noted.ids.start
                for array_id, size in arrays_of(noted):
                    found |= dict.fromkeys(wanted.intersection(range(first, first + size)), array_id)
                    first += size
    return found


def _lookups(task_ids: list[int], of_tasks: SeenTasks, missing: set[int], reads: Reads) -> Iterator[Finding]:
    """A lookup leads to a task of its workflow and node, unless it expires: then it may outlive its task."""
    tasks = read_models(Task, map(Task.key, task_ids), reads)
    for task_id in task_ids:
        task, found = tasks.get(Task.key(task_id)), of_tasks.looked_up[task_id]
        about = f"the lookup of task {task_id}"
        if task is None and found:
            yield Finding("lookup", about, "for a task that is not there", "for one that is")
        elif task and found and found != natural_key(task):
            yield Finding("lookup", about, "of another workflow or node", _must_be(task))
        elif task and not found and must_have_lookup(task):
            missing.add(task_id)


def _must_be(task: Task) -> str:
    return f"TASKOF#{task.workflow_id}#{task.node_id}#…"


def _missing_lookups(missing: set[int], reads: Reads) -> Iterator[Finding]:
    """A task does not say its lookup's key. So where some seem to be missing, the table is scanned once more."""
    if not missing:
        return
    for pk, raws in reads.partitions():
        if pk.startswith("TASKOF#"):
            parsed = map(reads.parse, raws)
            missing -= {
                each.item.id for each in parsed if isinstance(each, Parsed) and isinstance(each.item, TaskLookup)
            }
    for chunk in chunks(sorted(missing), KEYS_PER_READ):
        tasks = read_models(Task, map(Task.key, chunk), reads)
        for task_id in chunk:
            task = tasks.get(Task.key(task_id))
            if task and must_have_lookup(task):
                yield Finding("lookup", f"the lookup of task {task_id}", "not there", _must_be(task))


def _miscounted(seen: Seen) -> Iterator[int]:
    for workflow_id, counted in seen.of_tasks.counted.items():
        workflow = seen.of_workflows.workflows.get(workflow_id)
        if not workflow or not _fits(workflow_id, workflow.num_tasks, counted, seen.of_tasks.parts[workflow_id]):
            yield workflow_id


def _fits(workflow_id: int, num_tasks: int, counted: int, part: int) -> bool:
    return counted <= num_tasks and part < len(feed_keys(workflow_id, num_tasks))


def _counts(workflow_ids: list[int], of_tasks: SeenTasks, reads: Reads) -> Iterator[Finding]:
    """A workflow has counted all its tasks: polls read as many shards of its change feed as that number asks for.

    It may have counted more: a binding that hears no answer counts again.
    """
    workflows = read_models(Workflow, map(Workflow.key, workflow_ids), reads)
    for workflow_id in workflow_ids:
        workflow = workflows.get(Workflow.key(workflow_id))
        counted, part = of_tasks.counted[workflow_id], of_tasks.parts[workflow_id]
        num_tasks: int | None = workflow.num_tasks if workflow else None
        if not _fits(workflow_id, num_tasks or 0, counted, part):
            got = f"said to have {num_tasks or 0} tasks" if workflow else "not there"
            must = f"with {counted} at least, and with part {part} of the change feed"
            yield Finding("num-tasks", f"workflow {workflow_id}", got, must)
