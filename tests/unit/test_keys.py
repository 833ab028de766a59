"""Keys: what goes in comes out, what is numbered is in order, and no two things have the same one."""

from collections.abc import Callable
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from lockstep.dynamodb import keys
from lockstep.dynamodb.keys import BatchAttention, InstanceKey
from lockstep.fsm.statuses import NEEDS_ATTENTION
from lockstep.text import digest, size

IDS: Final = st.integers(1, keys.MAX_ID)
TASK_IDS: Final = st.integers(1, keys.MAX_ID // keys.INSTANCES_PER_TASK - 1)
NUMBERS: Final = st.integers(1, keys.MAX_INSTANCE_NUMBER)
MOMENTS: Final = st.integers(0, 99_999_999_999_999).map(lambda milliseconds: milliseconds / 1000)
"""What 14 digits hold, in seconds: until the year 5138."""
HASHES: Final = st.text(st.characters(codec=None) | st.sampled_from("#\x10\ud800~")).filter(
    lambda text: size(text) <= 255
)
DIGESTS: Final = HASHES.map(digest)


@given(TASK_IDS, NUMBERS)
def test_an_instances_id_is_its_tasks_and_its_number(task_id: int, number: int) -> None:
    task_instance_id = keys.task_instance_id(task_id, number)
    assert keys.split_task_instance_id(task_instance_id) == InstanceKey(task_id, number)
    assert keys.instance_key_of(keys.task(task_id), keys.instance(number)).id == task_instance_id


@given(st.integers() | IDS | st.integers(-2_000, 2_000))
def test_what_no_instance_has_is_no_id(number: int) -> None:
    split = keys.split_task_instance_id(number)
    possible = 1_001 <= number <= keys.MAX_ID and number % 1_000 != 0
    assert (split is not None) == possible
    assert split is None or keys.task_instance_id(*split) == number


@given(st.lists(st.tuples(TASK_IDS, NUMBERS), min_size=2, max_size=2, unique=True))
def test_ids_rise_with_tasks_and_then_with_attempts(pairs: list[tuple[int, int]]) -> None:
    assert sorted(pairs) == sorted(pairs, key=lambda pair: keys.task_instance_id(*pair))


@given(st.dictionaries(st.text() | TASK_IDS.map(str) | IDS.map(str), st.integers(), max_size=6))
def test_of_a_mapping_only_instances_are_kept(values: dict[str, int]) -> None:
    kept = keys.only_instance_ids(values)
    assert kept.keys() <= values.keys()
    by_instance = keys.by_instance({key: values[key] for key in kept})
    assert {str(keys.task_instance_id(*key)) for key in by_instance} <= {str(int(key)) for key in kept}


@given(IDS, IDS)
def test_batches_and_runs_come_back(array_id: int, number: int) -> None:
    assert keys.batch_of(keys.batch(array_id, number)) == (array_id, number)
    assert keys.run_id_of(keys.run(number)) == number
    assert keys.is_part(keys.part_of_batch(number))


def between(first: str, last: str, sort_key: str) -> bool:
    """As DynamoDB compares: bytes of UTF-8."""
    return first.encode() <= sort_key.encode() <= last.encode()


@given(NUMBERS, NUMBERS, DIGESTS, DIGESTS)
def test_a_tasks_items_lie_by_attempt_and_what_belongs_to_one_lies_together(
    number: int, other: int, one_digest: str, other_digest: str
) -> None:
    def items(of: int) -> list[str]:
        return [keys.instance(of), keys.error(of, min(one_digest, other_digest)), keys.log(of)]

    low, high = sorted((number, other))
    in_order = [keys.SPEC, keys.TASK, *items(low), *(items(high) if high > low else [])]
    assert sorted(in_order, key=str.encode) == in_order


@given(NUMBERS, NUMBERS, DIGESTS)
def test_a_first_start_reads_the_specification_the_task_and_the_instance_alone(
    number: int, other: int, said: str
) -> None:
    """store.read_for_start."""
    for sort_key in (keys.error(number, said), keys.log(number), keys.instance(number)):
        assert between(keys.SPEC, keys.instance(1), sort_key) == (sort_key == keys.instance(1))
    assert between(keys.SPEC, keys.instance(1), keys.SPEC)
    first, last = keys.instance(number), keys.errors(number) + "~"
    for sort_key in (keys.SPEC, keys.TASK, keys.log(number), keys.log(other)):
        assert not between(first, last, sort_key), "store.read_errors"
    assert between(first, last, keys.error(other, said)) == (other == number)


@given(st.lists(st.builds(BatchAttention, MOMENTS, waiting=st.booleans()), min_size=2, max_size=4))
def test_batches_lie_in_the_order_in_which_they_are_due(attentions: list[BatchAttention]) -> None:
    by_key = sorted(attentions, key=lambda attention: str(attention).encode())
    assert by_key == sorted(attentions, key=lambda attention: (attention.waiting, int(attention.due * 1000)))
    for attention in attentions:
        read = BatchAttention.parse(str(attention))
        assert read.waiting == attention.waiting
        assert 0 <= attention.due - read.due < 0.002, "to the millisecond, and never later"
        assert str(read) <= str(attention)


@given(MOMENTS, MOMENTS, st.sampled_from(sorted(NEEDS_ATTENTION)))
def test_what_is_looked_for_in_a_run_is_found_and_nothing_else(moment: float, due: float, status: str) -> None:
    flagged, launched, waiting = keys.flag(status), keys.due(keys.LAUNCHED, due), keys.due(keys.WAITING, due)
    is_due = int(due * 1000) <= int(moment * 1000)
    to_launched = (keys.FLAGGED, keys.due(keys.LAUNCHED, moment))
    assert [between(*to_launched, key) for key in (flagged, launched, waiting)] == [True, is_due, False]
    to_waiting = (keys.WAITING, keys.due(keys.WAITING, moment))
    assert [between(*to_waiting, key) for key in (flagged, launched, waiting)] == [False, False, is_due]
    unended = (keys.LAUNCHED, keys.last(keys.WAITING))
    assert [between(*unended, key) for key in (flagged, launched, waiting)] == [False, True, True]
    assert not between(keys.WAITING, keys.last(keys.WAITING), launched)


PARTITIONS: Final[dict[Callable[..., str], tuple[st.SearchStrategy[Any], ...]]] = {
    keys.task: (IDS,),
    keys.array: (IDS,),
    keys.batch: (IDS, IDS),
    keys.array_lookup: (IDS, IDS),
    keys.task_lookup: (IDS, IDS, HASHES),
    keys.run: (IDS,),
    keys.resources: (IDS,),
    keys.counter: (st.sampled_from(["task", "array", "task_resources", "workflow_run"]),),
}
THINGS: Final = st.sampled_from(list(PARTITIONS)).flatmap(lambda of: st.tuples(st.just(of), st.tuples(*PARTITIONS[of])))
"""All that has a partition of its own."""


@given(st.lists(THINGS, max_size=8) | st.lists(THINGS.filter(lambda thing: thing[0] is keys.task_lookup), max_size=4))
def test_no_two_things_share_a_partition(things: list[tuple[Callable[..., str], tuple[Any, ...]]]) -> None:
    assert len({of(*ids) for of, ids in things}) == len(set(things))
    assert all(len(of(*ids).encode()) <= 2048 for of, ids in things), "DynamoDB's limit"


@given(st.tuples(IDS, IDS, HASHES), st.tuples(IDS, IDS, HASHES))
def test_no_two_tasks_are_looked_up_alike(one: tuple[int, int, str], other: tuple[int, int, str]) -> None:
    assert (keys.task_lookup(*one) == keys.task_lookup(*other)) == (one == other)
    assert keys.task_lookup(*one[:2], other[2]) != keys.task_lookup(*one) or one[2] == other[2]


@given(NUMBERS, DIGESTS, NUMBERS, DIGESTS)
def test_no_two_items_of_a_task_share_a_key(number: int, said: str, other: int, also_said: str) -> None:
    def items(of: int, what: str) -> set[str]:
        return {keys.SPEC, keys.TASK, keys.instance(of), keys.log(of), keys.error(of, what)}

    same = {keys.SPEC, keys.TASK}
    if number == other:
        same |= {keys.instance(number), keys.log(number)} | ({keys.error(number, said)} if said == also_said else set())
    assert items(number, said) & items(other, also_said) == same


STEPS: Final = st.tuples(IDS, st.integers(0, 2**31), st.integers(0, 100_000))


@given(STEPS, STEPS)
def test_no_two_steps_share_a_place_in_the_index(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    places = {(keys.array_step(*step), step[2]) for step in (one, other)}
    assert len(places) == len({one, other})
