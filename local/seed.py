"""`make seed`: load states directly into a table, for tests, demonstrations and imports."""

import argparse
import os
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from local import seed_tools
from local.engine import ENDPOINT_VARIABLE
from local.running import NotRunningError, use_running
from local.seed_tools import SeedTemplate, SeedTool
from lockstep.array.item import (
    NO_STEP,
    Array,
    ArrayLookup,
    Batch,
    NextCheck,
    array_listed_as,
    batch_listed_as,
    listed_in,
)
from lockstep.array.last_seen import WAITING
from lockstep.clock import now
from lockstep.context import request
from lockstep.dag.edges import EdgesToAdd, put_all
from lockstep.dag.item import Dag
from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.counters import BEFORE_FIRST, Counter
from lockstep.dynamodb.item import MAX_ID, MAX_TITLE_BYTES, Item, Key
from lockstep.dynamodb.puts import put_many
from lockstep.dynamodb.reads import fetch
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import (
    NEEDS_ATTENTION,
    TOLD_TO_CLIENT,
    TaskInstanceStatus,
    TaskStatus,
    WorkflowRunStatus,
    WorkflowStatus,
)
from lockstep.fsm.transitions import has_ended
from lockstep.http.fields import (
    Command,
    DagId,
    DistributorId,
    FilePath,
    Hash,
    Id,
    LongText,
    Name,
    NodeId,
    Nodename,
    ProcessGroupId,
    RequestedResources,
    SmallCount,
    Text,
)
from lockstep.task.bound_item import Resources, Spec
from lockstep.task.item import NO_FEED, Task, changed_key, failed_key, feed_key
from lockstep.task.resources import directories, forget
from lockstep.task.specs import Specification
from lockstep.task_instance.item import (
    INSTANCES_PER_TASK,
    MAX_ERROR_BYTES,
    MAX_INLINE_BYTES,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
    array_step_key,
    attention_flag,
    is_long_error,
    split_task_instance_id,
)
from lockstep.text import beginning, cut, digest, size
from lockstep.workflow.item import (
    ALL_WORKFLOWS,
    RunOfWorkflow,
    TaskRange,
    Workflow,
    WorkflowLookup,
    WorkflowSpec,
    workflow_listed_as,
)
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.sweep import earliest_overdue

SECONDS_TO_LOAD = 300.0
MOST_ERRORS = 20
MOST_STEPS = 100_000
"""The steps that a batch may have: each is one letter of the batch's item."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedArray(_Entry):
    """An array."""

    array_id: Id
    name: Name
    workflow_id: Id
    task_template_version_id: Id
    max_concurrently_running: SmallCount


class SeedTask(_Entry):
    """A task, in any status."""

    task_id: Annotated[Id, Field(le=MAX_ID // INSTANCES_PER_TASK - 1)]
    status: TaskStatus
    num_attempts: SmallCount
    max_attempts: SmallCount
    workflow_id: Id
    array_id: Id
    name: Name
    command: Command
    task_resources_id: Id
    requested_resources: RequestedResources = {}
    node_id: NodeId | None = None


class SeedInstance(_Entry):
    """A task instance, in any status."""

    task_instance_id: Id
    status: TaskInstanceStatus
    workflow_run_id: Id
    array_id: Id
    array_batch_num: SmallCount
    array_step_id: Annotated[int, Field(ge=0, lt=MOST_STEPS)]
    task_resources_id: Id
    came_from: TaskInstanceStatus | None = None
    """The status before."""
    report_by_in: Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)] | None = None
    """The report's deadline in seconds from now; negative if it has passed, null if there is none."""
    distributor_id: DistributorId | None = None
    nodename: Nodename | None = None
    process_group_id: ProcessGroupId | None = None
    stdout: FilePath | None = None
    stderr: FilePath | None = None
    stdout_log: Text | None = None
    stderr_log: Text | None = None
    errors: list[Text] = []

    @property
    def key(self) -> InstanceKey:
        """The task's id and the instance's number, from the instance's id."""
        key = split_task_instance_id(self.task_instance_id)
        assert key is not None
        return key


class SeedWorkflow(_Entry):
    """A workflow. Its tasks are those of the file that name it. A DAG that the file does not hold has no edges."""

    workflow_id: Id
    name: Name | None = None
    workflow_args: LongText | None = None
    status: WorkflowStatus = WorkflowStatus.REGISTERING
    bound: bool = True
    """Whether all its tasks are bound: only then a run of it can be linked."""
    workflow_run_id: Id | None = None
    """The run that holds it."""
    max_concurrently_running: SmallCount | None = None
    tool_version_id: Id = 1
    dag_id: DagId = 1
    workflow_args_hash: Hash = "1"
    task_hash: Hash = "1"


class SeedDag(_Entry):
    """A DAG with all its edges."""

    dag_id: DagId
    edges: list[EdgesToAdd]


class Seed(_Entry):
    """A seed file."""

    workflows: list[SeedWorkflow] = []
    tools: list[SeedTool] = []
    task_templates: list[SeedTemplate] = []
    dags: list[SeedDag] = []
    arrays: list[SeedArray] = []
    tasks: list[SeedTask] = []
    task_instances: list[SeedInstance] = []

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        tasks = {task.task_id for task in self.tasks}
        for index, instance in enumerate(self.task_instances):
            key = split_task_instance_id(instance.task_instance_id)
            if key is None or key.task_id not in tasks:
                raise ValueError(
                    f"task_instances[{index}].task_instance_id: {instance.task_instance_id} has no task in this file"
                )
        for index in seed_tools.without_version(self.tools, self.task_templates):
            version_id = self.task_templates[index].tool_version_id
            raise ValueError(f"task_templates[{index}].tool_version_id: {version_id} is no tool's in this file")
        instances = [instance.task_instance_id for instance in self.task_instances]
        dags = [dag.dag_id for dag in self.dags]
        for name, numbers in {**self.ids, "dag": dags, "task_instance": instances}.items():
            twice = [number for number, times in Tally(numbers).items() if times > 1]
            if twice:
                raise ValueError(f"{name}: the id {twice[0]} occurs more than once")
        return self

    @property
    def ids(self) -> dict[str, list[int]]:
        """The ids that occur once each, by the counter that gives them out."""
        return {
            "workflow": [workflow.workflow_id for workflow in self.workflows],
            "array": [array.array_id for array in self.arrays],
            "task": [task.task_id for task in self.tasks],
            **seed_tools.ids(self.tools, self.task_templates),
        }


def load(seed: Seed) -> int:
    """Write a seed, overwrite objects with the same ids, and return how many items were written.

    Counters skip the ids and batch numbers of the seed. Another process that has cached requested resources keeps using
    the old ones.
    """
    with request(SECONDS_TO_LOAD):
        return _load(seed)


def _load(seed: Seed) -> int:
    written = [*seed_tools.items(seed.tools, seed.task_templates), *_items(seed)]
    put_many(written)
    for dag in seed.dags:
        put_all(dag.dag_id, dag.edges)
    forget()
    resources = [each.task_resources_id for kind in (seed.tasks, seed.task_instances) for each in kind]
    runs = {instance.workflow_run_id: instance.array_id for instance in seed.task_instances}
    for kind, numbers in {**seed.ids, "task_resources": resources, "workflow_run": runs}.items():
        _reserve(kind, numbers)
    workflows = {array.array_id: array.workflow_id for array in seed.arrays}
    known = fetch(map(WorkflowRun.key, runs), consistent=True)
    put_many(
        _run(run, workflows.get(array_id, 0)) for run, array_id in runs.items() if WorkflowRun.key(run) not in known
    )
    return len(written) + sum(len(dag.edges) for dag in seed.dags)


def _items(seed: Seed) -> Iterator[Item]:
    at = now()
    complete = {dag.dag_id: [edge.node_id for edge in dag.edges] for dag in seed.dags}
    for dag_id in sorted(complete.keys() | {workflow.dag_id for workflow in seed.workflows}):
        node = next(iter(complete.get(dag_id, [])), None)
        yield Dag(*Dag.key(dag_id), made_at=at, created_date=at if dag_id in complete else None, node_id=node)
    last_batch: dict[int, int] = {}
    for instance in seed.task_instances:
        last_batch[instance.array_id] = max(instance.array_batch_num, last_batch.get(instance.array_id, 0))
    last_number: dict[int, int] = {}
    for instance in seed.task_instances:
        last_number[instance.key.task_id] = max(instance.key.number, last_number.get(instance.key.task_id, 0))
    feeds: dict[int, str] = {}
    for workflow in seed.workflows:
        tasks = {task.task_id: task.array_id for task in seed.tasks if task.workflow_id == workflow.workflow_id}
        feeds |= {task_id: feed_key(workflow.workflow_id, number) for number, task_id in enumerate(sorted(tasks))}
        yield from _workflow(workflow, tasks, at)
    for array in seed.arrays:
        yield from _array(array, last_batch.get(array.array_id, 0))
    for task in seed.tasks:
        yield from _task(task, last_number.get(task.task_id, 0), feeds.get(task.task_id), at)
    for task_resources_id, task in {task.task_resources_id: task for task in seed.tasks}.items():
        yield Resources(*Resources.key(task_resources_id), queue_id=1, requested_resources=task.requested_resources)
    instances = [_instance(instance, at) for instance in seed.task_instances]
    yield from instances
    yield from _batches(instances, {array.array_id: array.workflow_id for array in seed.arrays}, at)
    for instance in seed.task_instances:
        yield from _logged(instance, at)


def _workflow(workflow: SeedWorkflow, tasks: Mapping[int, int], at: float) -> Iterator[Item]:
    """The items of a workflow. tasks: the array of each of its tasks."""
    number = workflow.workflow_id
    yield Workflow(
        *Workflow.key(number),
        status=workflow.status,
        status_date=at,
        workflow_run_id=workflow.workflow_run_id,
        created_date=at if workflow.bound else None,
        max_concurrently_running=workflow.max_concurrently_running,
        num_tasks=len(tasks),
        title=None if workflow.name is None else beginning(workflow.name, MAX_TITLE_BYTES),
        listed_in=ALL_WORKFLOWS,
        listed_as=workflow_listed_as(number),
    )
    yield WorkflowSpec(
        *WorkflowSpec.key(number),
        **workflow.model_dump(
            include={"tool_version_id", "dag_id", "workflow_args_hash", "task_hash", "name", "workflow_args"}
        ),
    )
    lookup = (workflow.workflow_args_hash, workflow.tool_version_id, workflow.dag_id, workflow.task_hash)
    yield WorkflowLookup(*WorkflowLookup.key(*lookup), id=number)
    if workflow.workflow_run_id:
        yield RunOfWorkflow(*RunOfWorkflow.key(number, workflow.workflow_run_id))
    for _, consecutive in groupby(enumerate(sorted(tasks)), lambda pair: pair[1] - pair[0]):
        ids = [task_id for _, task_id in consecutive]
        arrays = [[array_id, len(list(same))] for array_id, same in groupby(ids, tasks.__getitem__)]
        yield TaskRange(*TaskRange.key(number, ids[0]), size=len(ids), arrays=arrays)


def _array(array: SeedArray, num_batches: int) -> Iterator[Item]:
    yield Array(
        *Array.key(array.array_id),
        **array.model_dump(exclude={"array_id"}),
        num_batches=num_batches,
        title=beginning(array.name, MAX_TITLE_BYTES),
        listed_in=listed_in(array.workflow_id),
        listed_as=array_listed_as(array.array_id),
    )
    yield ArrayLookup(*ArrayLookup.key(array.workflow_id, array.task_template_version_id), id=array.array_id)


def _task(task: SeedTask, num_instances: int, feed: str | None, at: float) -> Iterator[Item]:
    stdout_dir, stderr_dir = directories(task.requested_resources)
    spec = Specification(task.name, task.command, task.task_resources_id, stdout_dir, stderr_dir)
    failed = task.status is TaskStatus.ERROR_FATAL
    item = Task(
        *Task.key(task.task_id),
        **task.model_dump(include={"status", "num_attempts", "max_attempts", "array_id", "workflow_id", "node_id"}),
        status_date=at,
        num_instances=num_instances,
        spec_version=1,
        feed=feed,
        changed=changed_key(at, task.status) if feed and task.status in TOLD_TO_CLIENT else None,
        listed_in=(feed or NO_FEED) if failed else None,
        listed_as=failed_key(at, task.task_id) if failed else None,
    )
    spec.fill_task(item)
    yield item
    if not spec.is_short:
        apart = Spec(*Spec.key(task.task_id), spec_version=1, workflow_id=task.workflow_id, array_id=task.array_id)
        spec.fill(apart)
        yield apart


def _batches(instances: Iterable[TaskInstance], workflows: Mapping[int, int], at: float) -> Iterator[Batch]:
    """Yield each batch under the run of its last step, and a part for each other run with steps in the batch."""
    batches: dict[tuple[int, int], list[TaskInstance]] = defaultdict(list)
    for instance in sorted(instances, key=lambda instance: instance.array_step_id):
        batches[instance.array_id, instance.array_batch_num].append(instance)
    for (array_id, batch_num), members in batches.items():
        main = members[-1].workflow_run_id
        for run in sorted({member.workflow_run_id for member in members}):
            key = Batch.key(array_id, batch_num) if run == main else Batch.part_key(array_id, batch_num, run)
            yield _batch(key, run, members, workflows.get(array_id, 0), at)


def _batch(key: Key, workflow_run_id: int, members: Sequence[TaskInstance], workflow_id: int, at: float) -> Batch:
    part = "" if key.sk == Batch.SORT_KEY else key.sk
    size = members[-1].array_step_id + 1
    ours = {member.array_step_id: member for member in members if member.workflow_run_id == workflow_run_id}
    seen = "".join(ours[step].status if step in ours else NO_STEP for step in range(size))
    statuses = {TaskInstanceStatus(member.status) for member in ours.values()}
    due = 0.0 if key.sk != Batch.SORT_KEY else min(earliest_overdue(member, at) for member in ours.values())
    attention = NextCheck(due, waiting=not statuses.isdisjoint(WAITING))
    return Batch(
        *key,
        size=size,
        num_instances=len(members),
        task_resources_id=members[-1].task_resources_id,
        workflow_run_id=workflow_run_id,
        seen=seen,
        attention=None if all(map(has_ended, statuses)) else str(attention),
        noted_at=at,
        listed_in=listed_in(workflow_id),
        listed_as=batch_listed_as(members[0].array_id, members[0].array_batch_num, part),
    )


_STORED_AS_GIVEN: Final = SeedInstance.model_fields.keys() & TaskInstance.get_attributes().keys() - set(
    MAX_INLINE_BYTES
)


def _instance(instance: SeedInstance, at: float) -> TaskInstance:
    task_id, number = instance.key
    return TaskInstance(
        *TaskInstance.key(InstanceKey(task_id, number)),
        status_date=at,
        queued_at=at,
        report_by=None if instance.report_by_in is None else at + instance.report_by_in,
        array_step=array_step_key(instance.array_id, instance.array_batch_num, instance.array_step_id),
        spec_version=1,
        attention=attention_flag(instance.status) if instance.status in NEEDS_ATTENTION else None,
        **instance.model_dump(include=_STORED_AS_GIVEN) | _inline(instance),
    )


def _logged(instance: SeedInstance, at: float) -> Iterator[Item]:
    task_id, number = instance.key
    logged: dict[str, Any] = {name: value for name, value in _bounded(instance) if name not in _inline(instance)}
    logged |= {name: text for name in ("stdout_log", "stderr_log") if (text := getattr(instance, name)) is not None}
    if logged:
        yield Log(*Log.key(InstanceKey(task_id, number)), **logged)
    for index, error in enumerate(dict.fromkeys(instance.errors)):
        yield from _error(InstanceKey(task_id, number), error, at + index / 1_000_000)


def _error(instance: InstanceKey, error: str, at: float) -> Iterator[Item]:
    key, stored = ErrorEntry.key(instance, digest(error)), cut(error, MAX_ERROR_BYTES)
    if is_long_error(error):
        yield ErrorEntry(*key, text_bytes=size(stored), error_time=at)
        yield ErrorText(*ErrorText.key(instance, digest(error)), description=stored)
    else:
        yield ErrorEntry(*key, description=stored, error_time=at)


def _inline(instance: SeedInstance) -> dict[str, Any]:
    return {name: value for name, value in _bounded(instance) if size(value) <= MAX_INLINE_BYTES[name]}


def _bounded(instance: SeedInstance) -> list[tuple[str, str]]:
    return [(name, value) for name in MAX_INLINE_BYTES if (value := getattr(instance, name)) is not None]


def _run(workflow_run_id: int, workflow_id: int) -> WorkflowRun:
    """A run in BOUND, ready for a distributor."""
    return WorkflowRun(
        *WorkflowRun.key(workflow_run_id),
        status=WorkflowRunStatus.BOUND,
        status_date=now(),
        workflow_id=workflow_id,
    )


def _reserve(kind: str, ids: Iterable[int]) -> None:
    last = max(ids, default=0)
    if last <= BEFORE_FIRST[kind]:
        return
    counter = Counter(*Counter.key(kind))
    behind = Counter.last.does_not_exist() | (Counter.last < last)
    try:
        reach(lambda: counter.update([Counter.last.set(last)], behind))
    except ConditionFailedError:
        return


def main() -> None:
    """Load a file into the system that runs on a port. If the file is invalid, load nothing and say why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=3000, help="the port of the running system")
    options = parser.parse_args()
    try:
        seed = Seed.model_validate_json(options.file.read_bytes())
    except OSError as error:
        raise SystemExit(f"cannot read {options.file}: {error.strerror}") from error
    except ValidationError as error:
        if b'"httpMethod"' in options.file.read_bytes():
            raise SystemExit(f"{options.file} is an event: make invoke EVENT={options.file}") from error
        raise SystemExit(f"{options.file} does not validate; nothing was loaded.\n{_in_lines(error)}") from error
    try:
        use_running(options.port)
    except NotRunningError as error:
        raise SystemExit(str(error)) from error
    try:
        print(f"loaded {_kinds(seed)}: {load(seed)} items")
    except UnavailableError as error:
        where = os.environ[ENDPOINT_VARIABLE]
        raise SystemExit(f"nothing answers at {where}; if that happened midway, a part is loaded: {error}") from error


def _kinds(seed: Seed) -> str:
    runs = {instance.workflow_run_id for instance in seed.task_instances}
    errors = sum(len(set(instance.errors)) for instance in seed.task_instances)
    return (
        f"{len(seed.workflows)} workflows, "
        f"{len(seed.arrays)} arrays, {len(seed.tasks)} tasks, {len(seed.task_instances)} task instances, "
        f"{errors} error entries, {len(runs)} workflow runs, {len(seed.tools)} tools, "
        f"{len(seed.task_templates)} task templates, {len(seed.dags)} DAGs"
    )


def _in_lines(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[:MOST_ERRORS]
    return "\n".join(f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in found)


if __name__ == "__main__":
    main()
