"""The order in which a table is read, and what is done with what is read."""

from collections.abc import Iterator

from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task.item import Resources, Spec, Task, TaskLookup
from lockstep.task_instance.item import ErrorEntry, Log, TaskInstance
from lockstep.workflow_run.item import WorkflowRun
from ops.audit import batches, indexes, references, tasks
from ops.audit.finding import Finding
from ops.audit.ledger import BatchKey, Ledger, Steps
from ops.audit.parsing import Parsed, parse
from ops.audit.reading import Reader
from ops.audit.tasks import Partition


def audit(reader: Reader, ledger: Ledger) -> Iterator[Finding]:
    """Everything that is wrong with the table. The ledger is filled on the way: it has the counts in the end.

    A table that is written to meanwhile is judged by second looks only: nothing is reported for having moved.

    Raises:
        CannotReadError: the table could not be read to its end.
    """
    for pk, raws in reader.partitions():
        if pk.startswith(Task.partition(0)[:-1]):
            yield from _task(pk, raws, reader, ledger)
        else:
            for raw in raws:
                yield from _other(raw, reader, ledger)
    for key in batches.suspicious(ledger):
        yield from batches.look_again(key, ledger, reader)
    yield from indexes.check(ledger, reader)
    yield from references.check(ledger, reader)


def _task(pk: str, raws: list[RawItem], reader: Reader, ledger: Ledger) -> Iterator[Finding]:
    found = Partition.of(pk, raws)
    if tasks.check(found):
        found = Partition.of(pk, reader.task(pk))
        yield from tasks.check(found)
    _enter_task(found, ledger)


def _enter_task(found: Partition, ledger: Ledger) -> None:
    ledger.kinds[Task] += found.task is not None
    ledger.kinds[Spec] += found.spec is not None
    ledger.kinds[TaskInstance] += len(found.instances)
    ledger.kinds[Log] += len(found.logs)
    ledger.kinds[ErrorEntry] += sum(map(len, found.errors.values()))
    if found.task is not None:
        ledger.tasks[found.task_id] = found.task.workflow_id
        ledger.tasks_by_status[found.task.status] += 1
        ledger.array(found.task.array_id)
        ledger.saw_id("task", found.task_id)
    for number, instance in found.instances.items():
        _enter_instance(found.id_of(number), instance, ledger)


def _enter_instance(task_instance_id: int, instance: TaskInstance, ledger: Ledger) -> None:
    ledger.instances[instance.status] += 1
    _enter_attention(instance, ledger)
    if instance.status not in set(TaskInstanceStatus):
        return  # it is a finding already
    key = BatchKey(instance.array_id, instance.array_batch_num)
    status = TaskInstanceStatus(instance.status)
    ledger.runs[key][instance.workflow_run_id] += 1
    if not ledger.steps.setdefault(key, Steps()).put(instance.array_step_id, task_instance_id, status):
        ledger.torn.add(key)


def _enter_attention(item: TaskInstance | Batch, ledger: Ledger) -> None:
    attention: str | None = item.attention
    if attention is not None:
        ledger.attentive[Key(item.pk, item.sk)] = (str(item.workflow_run_id), attention)


def _other(raw: RawItem, reader: Reader, ledger: Ledger) -> Iterator[Finding]:
    parsed = parse(raw)
    if isinstance(parsed, Finding):
        ledger.unreadable += 1
        yield parsed
        return
    ledger.kinds[type(parsed.item)] += 1
    yield from _enter_other(parsed, reader, ledger)


def _enter_other(parsed: Parsed, reader: Reader, ledger: Ledger) -> Iterator[Finding]:
    item: Item = parsed.item
    match item:
        case Array():
            ledger.array(parsed.ids[0]).item = item
            ledger.saw_id("array", parsed.ids[0])
        case Batch():
            key = BatchKey(*parsed.ids[:2])
            ledger.batches.setdefault(key, []).append(item)
            ledger.array(key.array_id).last_batch = max(ledger.array(key.array_id).last_batch, key.batch_num)
            _enter_attention(item, ledger)
        case ArrayLookup():
            yield from references.array_of_lookup(item, reader)
        case TaskLookup():
            yield from _enter_lookup(item, parsed.ids[0], ledger)
        case WorkflowRun():
            ledger.saw_id("workflow_run", parsed.ids[0])
        case Resources():
            ledger.saw_id("task_resources", parsed.ids[0])


def _enter_lookup(lookup: TaskLookup, workflow_id: int, ledger: Ledger) -> Iterator[Finding]:
    expires_at: int | None = lookup.expires_at
    if ledger.looked_up[lookup.id]:
        yield Finding("lookup", lookup.pk, f"task {lookup.id}, to which another one leads", "a task of its own")
    elif expires_at is None:
        ledger.looked_up[lookup.id] = workflow_id
