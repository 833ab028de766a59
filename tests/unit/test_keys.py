"""Keys: what goes in comes out, what is numbered is in order, and no two things have the same one."""

from collections.abc import Callable
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from local.aws_limits import MAX_KEY_BYTES
from lockstep.array.item import (
    LAUNCHED_PREFIX,
    WAITING_PREFIX,
    Array,
    ArrayLookup,
    Batch,
    NextCheck,
    batch_of,
    due_key,
    last_key,
)
from lockstep.cluster.item import Clusters
from lockstep.dag.item import IDS_PER_PART, SHARDS, Dag, Direction, Edge, EdgePart, NodeArgs, pack, unpack
from lockstep.dynamodb.counters import COUNTED, Counter
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID, Item, Key
from lockstep.fsm.statuses import NEEDS_ATTENTION
from lockstep.items import PLURALS, kind_of
from lockstep.task.bound_item import ArgumentChunk, Resources, Spec, TaskAttribute, TaskLookup
from lockstep.task.item import Task
from lockstep.task_instance.item import (
    FLAG_PREFIX,
    INSTANCES_PER_TASK,
    MAX_INSTANCE_NUMBER,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
    array_step_key,
    attention_flag,
    by_instance,
    instance_key_of,
    only_instance_ids,
    split_task_instance_id,
)
from lockstep.task_template.arguments import arg_id
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.text import digest, size
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool
from lockstep.workflow.item import (
    PassedTasks,
    RunOfWorkflow,
    TaskRange,
    Workflow,
    WorkflowAttribute,
    WorkflowLookup,
    WorkflowSpec,
)
from lockstep.workflow_run.item import WorkflowRun, run_id_of

IDS: Final = st.sampled_from([1, 2, 11, 12]) | st.integers(1, MAX_ID)
LONG_IDS: Final = st.sampled_from([1, 2, 11, 12]) | st.integers(1, MAX_LONG_ID)
TASK_IDS: Final = st.integers(1, MAX_ID // INSTANCES_PER_TASK - 1)
NUMBERS: Final = st.integers(1, MAX_INSTANCE_NUMBER)
MOMENTS: Final = st.integers(0, 99_999_999_999_999).map(lambda milliseconds: milliseconds / 1000)
"""What 14 digits hold, in seconds: until the year 5138."""
TEXTS: Final = st.text(st.characters(codec=None) | st.sampled_from("#\x10\ud800~1")).filter(
    lambda text: size(text) <= 255
)
"""Names, and hashes that need not be numbers."""
DIGESTS: Final = TEXTS.map(digest)
NUMERALS: Final = st.integers(0, 10**78).map(str)
"""Hashes that are numbers."""


@given(TASK_IDS, NUMBERS)
def test_an_instances_id_is_its_tasks_and_its_number(task_id: int, number: int) -> None:
    task_instance_id = InstanceKey(task_id, number).id
    assert split_task_instance_id(task_instance_id) == InstanceKey(task_id, number)
    assert instance_key_of(*TaskInstance.key(InstanceKey(task_id, number))).id == task_instance_id


@given(st.integers() | IDS | st.integers(-2_000, 2_000))
def test_what_no_instance_has_is_no_id(number: int) -> None:
    split = split_task_instance_id(number)
    possible = 1_001 <= number <= MAX_ID and number % 1_000 != 0
    assert (split is not None) == possible
    assert split is None or InstanceKey(*split).id == number


@given(st.lists(st.tuples(TASK_IDS, NUMBERS), min_size=2, max_size=2, unique=True))
def test_ids_rise_with_tasks_and_then_with_attempts(pairs: list[tuple[int, int]]) -> None:
    assert sorted(pairs) == sorted(pairs, key=lambda pair: InstanceKey(*pair).id)


@given(st.dictionaries(st.text() | TASK_IDS.map(str) | IDS.map(str), st.integers(), max_size=6))
def test_of_a_mapping_only_instances_are_kept(values: dict[str, int]) -> None:
    kept = only_instance_ids(values)
    assert kept.keys() <= values.keys()
    values_by_instance = by_instance({key: values[key] for key in kept})
    assert {str(key.id) for key in values_by_instance} <= {str(int(key)) for key in kept}


@given(IDS, IDS)
def test_batches_and_runs_come_back(array_id: int, number: int) -> None:
    assert batch_of(Batch.key(array_id, number).pk) == (array_id, number)
    assert run_id_of(WorkflowRun.key(number).pk) == number
    assert Batch(*Batch.part_key(array_id, number, number)).is_part


def between(first: str, last: str, sort_key: str) -> bool:
    """As DynamoDB compares: bytes of UTF-8."""
    return first.encode() <= sort_key.encode() <= last.encode()


@given(NUMBERS, NUMBERS, DIGESTS, DIGESTS)
def test_a_tasks_items_lie_by_attempt_and_what_belongs_to_one_lies_together(
    number: int, other: int, one_digest: str, other_digest: str
) -> None:
    def items(of: int) -> list[str]:
        said = min(one_digest, other_digest)
        entry, long_text = ErrorEntry.sort_key(of, said), ErrorText.sort_key(of, said)
        return [TaskInstance.sort_key(of), entry, Log.sort_key(of), long_text]

    low, high = sorted((number, other))
    in_order = [Spec.SORT_KEY, Task.SORT_KEY, *items(low), *(items(high) if high > low else [])]
    assert sorted(in_order, key=str.encode) == in_order


@given(NUMBERS, NUMBERS, DIGESTS)
def test_a_first_start_reads_the_specification_the_task_and_the_instance_alone(
    number: int, other: int, said: str
) -> None:
    """store.read_for_start."""
    long_text = ErrorText.sort_key(number, said)
    for sort_key in (ErrorEntry.sort_key(number, said), long_text, Log.sort_key(number), TaskInstance.sort_key(number)):
        assert between(Spec.SORT_KEY, TaskInstance.sort_key(1), sort_key) == (sort_key == TaskInstance.sort_key(1))
    assert between(Spec.SORT_KEY, TaskInstance.sort_key(1), Spec.SORT_KEY)
    first, last = TaskInstance.sort_key(number), ErrorEntry.prefix(number) + "~"
    for sort_key in (Spec.SORT_KEY, Task.SORT_KEY, Log.sort_key(number), Log.sort_key(other), long_text):
        assert not between(first, last, sort_key), "store.read_errors"
    assert between(first, last, ErrorEntry.sort_key(other, said)) == (other == number)


@given(st.lists(st.builds(NextCheck, MOMENTS, waiting=st.booleans()), min_size=2, max_size=4))
def test_batches_lie_in_the_order_in_which_they_are_due(attentions: list[NextCheck]) -> None:
    by_key = sorted(attentions, key=lambda attention: str(attention).encode())
    assert by_key == sorted(attentions, key=lambda attention: (attention.waiting, int(attention.due * 1000)))
    for attention in attentions:
        read = NextCheck.parse(str(attention))
        assert read.waiting == attention.waiting
        assert 0 <= attention.due - read.due < 0.002, "to the millisecond, and never later"
        assert str(read) <= str(attention)


@given(MOMENTS, MOMENTS, st.sampled_from(sorted(NEEDS_ATTENTION)))
def test_what_is_looked_for_in_a_run_is_found_and_nothing_else(moment: float, due: float, status: str) -> None:
    flagged, launched, waiting = attention_flag(status), due_key(LAUNCHED_PREFIX, due), due_key(WAITING_PREFIX, due)
    is_due = int(due * 1000) <= int(moment * 1000)
    to_launched = (FLAG_PREFIX, due_key(LAUNCHED_PREFIX, moment))
    assert [between(*to_launched, key) for key in (flagged, launched, waiting)] == [True, is_due, False]
    to_waiting = (WAITING_PREFIX, due_key(WAITING_PREFIX, moment))
    assert [between(*to_waiting, key) for key in (flagged, launched, waiting)] == [False, False, is_due]
    unended = (LAUNCHED_PREFIX, last_key(WAITING_PREFIX))
    assert [between(*unended, key) for key in (flagged, launched, waiting)] == [False, True, True]
    assert not between(WAITING_PREFIX, last_key(WAITING_PREFIX), launched)


INSTANCES: Final = st.builds(InstanceKey, TASK_IDS, NUMBERS)
Thing = tuple[type[Item], Callable[..., Key], tuple[Any, ...]]
KEYS: Final[list[tuple[type[Item], Callable[..., Key], tuple[st.SearchStrategy[Any], ...]]]] = [
    (Task, Task.key, (IDS,)),
    (Spec, Spec.key, (IDS,)),
    (TaskInstance, TaskInstance.key, (INSTANCES,)),
    (Log, Log.key, (INSTANCES,)),
    (ErrorEntry, ErrorEntry.key, (INSTANCES, DIGESTS)),
    (ErrorText, ErrorText.key, (INSTANCES, DIGESTS)),
    (Array, Array.key, (IDS,)),
    (Batch, Batch.key, (IDS, IDS)),
    (Batch, Batch.part_key, (IDS, IDS, IDS)),
    (TaskAttribute, TaskAttribute.key, (IDS, TEXTS)),
    (ArgumentChunk, ArgumentChunk.key, (IDS, DIGESTS)),
    (Workflow, Workflow.key, (IDS,)),
    (WorkflowSpec, WorkflowSpec.key, (IDS,)),
    (WorkflowAttribute, WorkflowAttribute.key, (IDS, TEXTS)),
    (TaskRange, TaskRange.key, (IDS, IDS)),
    (PassedTasks, PassedTasks.key, (IDS, IDS)),
    (RunOfWorkflow, RunOfWorkflow.key, (IDS, IDS)),
    (WorkflowLookup, WorkflowLookup.key, (NUMERALS, IDS, IDS, NUMERALS)),
    (WorkflowRun, WorkflowRun.key, (IDS,)),
    (Resources, Resources.key, (IDS,)),
    (ArrayLookup, ArrayLookup.key, (IDS, IDS)),
    (Tool, Tool.key, (IDS,)),
    (ToolLookup, ToolLookup.key, (TEXTS,)),
    (VersionOfTool, VersionOfTool.key, (IDS, IDS)),
    (ToolVersion, ToolVersion.key, (IDS,)),
    (TaskTemplate, TaskTemplate.key, (IDS,)),
    (TemplateLookup, TemplateLookup.key, (IDS, TEXTS)),
    (TemplateVersion, TemplateVersion.key, (IDS, TEXTS, NUMERALS)),
    (TaskLookup, TaskLookup.key, (IDS, LONG_IDS, TEXTS)),
    (NodeArgs, NodeArgs.key, (IDS, LONG_IDS.map(lambda node: pack([node])), st.binary())),
    (Dag, Dag.key, (LONG_IDS,)),
    (Edge, Edge.key, (LONG_IDS, LONG_IDS)),
    (EdgePart, EdgePart.key, (LONG_IDS, LONG_IDS, st.sampled_from(["UP", "DOWN"]), st.integers(0, 999))),
    (Counter, Counter.key, (st.sampled_from(COUNTED),)),
    (Clusters, Clusters.key, ()),
]
ALONE: Final = {
    *(Task.key, Array.key, Batch.key, ArrayLookup.key, TaskLookup.key, WorkflowRun.key, Resources.key),
    *(ToolLookup.key, Counter.key, Clusters.key),
}
"""Two of them are in two partitions."""
THINGS: Final = st.sampled_from(KEYS).flatmap(lambda of: st.tuples(*map(st.just, of[:2]), st.tuples(*of[2])))
ALIKE: Final = st.sampled_from(KEYS).flatmap(
    lambda of: st.lists(st.tuples(*map(st.just, of[:2]), st.tuples(*of[2])), max_size=4)
)


@given(st.lists(THINGS, max_size=8) | ALIKE)
def test_no_two_things_share_a_key_and_each_key_names_its_model(things: list[Thing]) -> None:
    keys = {(of, ids): of(*ids) for _, of, ids in things}
    assert len(set(keys.values())) == len(keys)
    alone = [key.pk for (of, _), key in keys.items() if of in ALONE]
    assert len(set(alone)) == len(alone)
    for model, of, ids in things:
        key = keys[of, ids]
        kind = kind_of(key)
        assert kind is not None
        assert kind.model is model
        assert all(len(part.encode()) <= MAX_KEY_BYTES[name] for name, part in key._asdict().items())


def test_every_model_is_among_the_kinds() -> None:
    models, found = [Item], set()
    while models:
        model = models.pop()
        models += model.__subclasses__()
        found.add(model)
    assert {model for model in found if model.KEY_FORMS} == PLURALS.keys() == {model for model, *_ in KEYS}


@given(st.lists(IDS, min_size=1, max_size=5, unique=True))
def test_a_tools_versions_lie_in_the_order_of_their_ids_after_the_tool(numbers: list[int]) -> None:
    by_key = sorted((VersionOfTool.key(7, number).sk for number in numbers), key=str.encode)
    assert by_key == [VersionOfTool.key(7, number).sk for number in sorted(numbers)]
    assert all(between(VersionOfTool.key(7, 0).sk, VersionOfTool.LAST, sort_key) for sort_key in by_key)
    assert not between(VersionOfTool.key(7, 0).sk, VersionOfTool.LAST, Tool.SORT_KEY)


@given(TEXTS)
def test_a_templates_name_comes_back(name: str) -> None:
    assert TemplateLookup(*TemplateLookup.key(7, name)).name == name


@given(TEXTS, TEXTS)
def test_a_partition_begins_with_what_the_others_are_of(name: str, command: str) -> None:
    """task_template.read."""
    assert ToolVersion.SORT_KEY.encode() < TemplateLookup.key(7, name).sk.encode()
    assert TaskTemplate.SORT_KEY.encode() < TemplateVersion.key(7, command, "1").sk.encode()


@given(TEXTS)
def test_an_arguments_id_is_a_number_that_every_json_reader_keeps(name: str) -> None:
    assert 1 <= arg_id(name) <= 2**48 < MAX_ID


STEPS: Final = st.tuples(IDS, st.integers(0, 2**31), st.integers(0, 100_000))


@given(STEPS, STEPS)
def test_no_two_steps_share_a_place_in_the_index(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    places = {(array_step_key(*step), step[2]) for step in (one, other)}
    assert len(places) == len({one, other})


@given(LONG_IDS, LONG_IDS, LONG_IDS)
def test_the_edges_of_a_dag_are_in_64_partitions_of_its_own(dag: int, node: int, other: int) -> None:
    assert (Edge.partition(dag, node) == Edge.partition(dag, other)) == (node % SHARDS == other % SHARDS)
    assert Edge.partition(dag, node) != Dag.key(other).pk
    assert (Edge.partition(dag, node) == Edge.partition(other, node)) == (dag == other)


@given(st.integers(0, 20 * IDS_PER_PART), st.sampled_from(["UP", "DOWN"]))
def test_a_long_list_lies_in_as_few_parts_as_hold_it(count: int, direction: Direction) -> None:
    keys = EdgePart.keys(5, 7, direction, count)
    assert (len(keys) - 1) * IDS_PER_PART < count <= len(keys) * IDS_PER_PART or count == len(keys) == 0
    assert keys == sorted(set(keys)), "in the order of their numbers"


@given(st.lists(LONG_IDS))
def test_packed_ids_come_back(ids: list[int]) -> None:
    assert unpack(pack(ids)) == ids
    assert len(pack(ids)) == 8 * len(ids)
