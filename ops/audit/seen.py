"""What the audit keeps of a table while it reads, so that any number of instances fits into memory.

It keeps 9 bytes of an instance: its id, and a byte for its status and whether the index showed it. Of a task, 40: five
fingerprints, of its place, its natural key, that of the lookup that leads to it, and its entries in two indexes. Of a
batch its item, with a letter for each step.
"""

from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from lockstep.array.item import Array, Batch
from lockstep.dag.item import Dag, Edge
from lockstep.dynamodb.item import Item, Key
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task.bound_item import Resources, Spec, TaskLookup
from lockstep.task.item import Task
from lockstep.task_instance.item import ErrorEntry, ErrorText, Log, TaskInstance
from lockstep.task_template.item import TaskTemplate, TemplateVersion
from lockstep.tool.item import Tool, ToolVersion
from lockstep.workflow.item import TaskRange, Workflow, WorkflowSpec
from lockstep.workflow_run.item import WorkflowRun
from ops.audit.ids import IdMap, fingerprint
from ops.audit.invariants.batch import BatchKey, Member
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.parsing import INSTANCE_STATUSES, Parsed
from ops.audit.invariants.task import TaskItems
from ops.audit.seen_tasks import SeenTasks
from ops.audit.seen_workflows import SeenWorkflows

_INDEXED: Final = 0x80
COUNTED_BY: Final[dict[type[Item], str]] = {
    Array: "array",
    Task: "task",
    Resources: "task_resources",
    WorkflowSpec: "workflow",
    WorkflowRun: "workflow_run",
    Tool: "tool",
    ToolVersion: "tool_version",
    TaskTemplate: "task_template",
    TemplateVersion: "task_template_version",
}
"""The counter that gives out the ids of each model."""


class Steps:
    """The instances of one batch by step."""

    def __init__(self) -> None:
        self._ids = array("Q")
        self._letters = bytearray()

    def put(self, step: int, task_instance_id: int, status: TaskInstanceStatus) -> bool:
        """Place an instance at a step, and return whether the step was free."""
        missing = step + 1 - len(self._ids)
        if missing > 0:
            self._ids.frombytes(bytes(8 * missing))
            self._letters.extend(bytes(missing))
        if self._ids[step]:
            return False
        self._ids[step], self._letters[step] = task_instance_id, ord(status)
        return True

    def id_at(self, step: int) -> int:
        """The instance at a step; 0 if there is none."""
        return self._ids[step] if step < len(self._ids) else 0

    def mark_indexed(self, step: int) -> None:
        """Note that the index showed the instance at a step."""
        self._letters[step] |= _INDEXED

    def not_indexed(self) -> list[int]:
        """The steps whose instances the index did not show."""
        return [step for step, letter in enumerate(self._letters) if letter and not letter & _INDEXED]

    def members(self) -> dict[int, Member]:
        """The instances by step."""
        placed = enumerate(zip(self._ids, self._letters, strict=True))
        return {
            step: Member(number, TaskInstanceStatus(chr(letter & ~_INDEXED)))
            for step, (number, letter) in placed
            if number
        }


@dataclass(slots=True)
class Seen:
    """What was seen of a table."""

    steps: dict[BatchKey, Steps] = field(default_factory=lambda: defaultdict(Steps))
    batches: dict[BatchKey, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    last_batches: dict[int, int] = field(default_factory=dict)
    """The last batch that was seen of each array that was seen or named."""
    of_tasks: SeenTasks = field(default_factory=SeenTasks)
    in_run_index: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Run and attention of the items that have an attention."""
    told: IdMap = field(default_factory=IdMap)
    """A fingerprint of each task's entry in the index of changes, of those that have one."""
    failed: IdMap = field(default_factory=IdMap)
    """The same of the index that people look through."""
    listed: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """The entry there of all else: workflows, arrays, batches."""
    of_workflows: SeenWorkflows = field(default_factory=SeenWorkflows)
    last_ids: Counter[str] = field(default_factory=Counter)
    """The highest id seen, by counter."""
    runs: dict[BatchKey, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """The number of instances of each run in a batch."""
    doubled: set[BatchKey] = field(default_factory=set)
    """Batches in which two instances have one step."""
    dags: dict[int, int | None] = field(default_factory=dict)
    """Of each DAG, a node whose edges were stored, as its item says."""
    dags_with_edges: set[int] = field(default_factory=set)
    resources: set[int] = field(default_factory=set)
    resources_named: set[int] = field(default_factory=set)
    """By a task or an attempt."""
    queues: set[int] = field(default_factory=set)
    """The queues that requested resources name."""
    kinds: Counter[type[Item]] = field(default_factory=Counter)
    unreadable: int = 0
    """Items outside of tasks that cannot be parsed."""
    instances: Counter[str] = field(default_factory=Counter)
    """By status."""
    tasks_by_status: Counter[str] = field(default_factory=Counter)

    def add_task(self, items: TaskItems) -> None:
        """Keep and count a task with all its items."""
        self.kinds[Task] += items.task is not None
        self.kinds[Spec] += items.spec is not None
        self.kinds[TaskInstance] += len(items.instances)
        self.kinds[Log] += len(items.logs)
        self.kinds[ErrorEntry] += sum(map(len, items.errors.values()))
        self.kinds[ErrorText] += sum(map(len, items.texts.values()))
        if items.task is not None:
            self.of_tasks.add(items)
            self._add_entries(items.task_id, items.task)
            self.tasks_by_status[items.task.status] += 1
            self._add_array(items.task.array_id)
            self._add_id(Task, items.task_id)
        specified = items.spec or items.task
        if specified is not None and specified.task_resources_id is not None:
            self.resources_named.add(specified.task_resources_id)
        self.resources_named.update(instance.task_resources_id for instance in items.instances.values())
        for number, instance in items.instances.items():
            self._add_instance(items.id_of(number), instance)

    def add(self, parsed: Parsed) -> Finding | None:
        """Keep and count an item outside of tasks. Return what is wrong if another lookup leads where it does."""
        item, ids = parsed
        self.kinds[type(item)] += 1
        self._add_id(type(item), item.id if isinstance(item, TemplateVersion) else ids[0] if ids else 0)
        if isinstance(item, Batch):
            self.batches[BatchKey(*ids[:2])].append(item)
            self._add_array(*ids[:2])
            self._add_attention(item)
        if isinstance(item, WorkflowRun):
            self._add_attention(item)
        if isinstance(item, Workflow | Array | Batch) and item.listed_in is not None and item.listed_as is not None:
            self.listed[Key(item.pk, item.sk)] = (item.listed_in, item.listed_as)
        if isinstance(item, Dag):
            self.dags[ids[0]] = item.node_id
        if isinstance(item, Edge):
            self.dags_with_edges.add(ids[0])
        if isinstance(item, Resources):
            self.queues.add(item.queue_id)
            self.resources.add(ids[0])
        if isinstance(item, TaskRange):
            self.of_tasks.add_range(item, ids[0])
        if isinstance(item, TaskLookup):
            return self.of_tasks.add_lookup(item, ids[0], ids[1])
        self.of_workflows.add(parsed)
        return None

    def _add_entries(self, task_id: int, task: Task) -> None:
        if task.feed is not None and task.changed is not None:
            self.told[task_id] = fingerprint(task.feed, task.changed)
        if task.listed_in is not None and task.listed_as is not None:
            self.failed[task_id] = fingerprint(task.listed_in, task.listed_as)

    def _add_id(self, model: type[Item], number: int) -> None:
        if kind := COUNTED_BY.get(model):
            self.last_ids[kind] = max(self.last_ids[kind], number)
            if kind == "array":
                self._add_array(number)

    def _add_array(self, array_id: int, batch_num: int = 0) -> None:
        self.last_batches[array_id] = max(self.last_batches.get(array_id, 0), batch_num)

    def _add_instance(self, task_instance_id: int, instance: TaskInstance) -> None:
        self.instances[instance.status] += 1
        self._add_attention(instance)
        if instance.status not in INSTANCE_STATUSES:
            return  # it is a finding already
        key, step = BatchKey(instance.array_id, instance.array_batch_num), instance.array_step_id
        self.runs[key][instance.workflow_run_id] += 1
        if not self.steps[key].put(step, task_instance_id, TaskInstanceStatus(instance.status)):
            self.doubled.add(key)

    def _add_attention(self, item: TaskInstance | Batch | WorkflowRun) -> None:
        attention: str | None = item.attention
        if attention is not None:
            self.in_run_index[Key(item.pk, item.sk)] = (str(item.workflow_run_id), attention)
