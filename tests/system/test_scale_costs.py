"""`make scale` reckons with what the functions take today."""

import pytest

from bench.scale.costs import RECORDED, ROLES, RUN_INDEX, STEP_INDEX, TASK, Step, load, save
from bench.scale.life import record_here
from bench.units import OF_MANY, OF_ONE, TOGETHER
from lockstep.array.queue import TASKS_PER_TRANSACTION

SIZE = TOGETHER
TWO_MORE = 2.5 / SIZE
"""One of a batch may have gone another way than the rest, or two of another are stopped too: in the smaller batch their
share is larger."""


@pytest.fixture(scope="module")
def today(table: str) -> dict[str, Step]:
    assert table
    return {step.name: step for step in record_here(SIZE)}


def _life(steps: dict[str, Step]) -> float:
    return sum(steps[name].written() / steps[name].instances for name in (*OF_MANY, *OF_ONE, *["heartbeat"] * 5))


def _of_the_batch(size: int) -> int:
    """Its number, and its entry in the run index; its size, its entry in the list and the looks at its run in each
    transaction; and the note of what was launched, with its entries."""
    return 2 + 7 * -(-size // TASKS_PER_TRANSACTION) + 4


def test_a_life_takes_29_write_units_today(today: dict[str, Step]) -> None:
    assert _life(today) == pytest.approx(29 + _of_the_batch(SIZE) / SIZE)


def test_a_life_took_29_write_units_in_the_recording() -> None:
    steps = load()
    size = steps["queue"].instances
    assert _life(steps) == pytest.approx(29 + _of_the_batch(size) / size)


def test_the_recording_is_what_is_taken_today(today: dict[str, Step]) -> None:
    recorded = load()
    assert list(recorded) == list(today), "run `make scale`"
    for name, step in today.items():
        if step.instances <= 1:
            assert step == recorded[name], "run `make scale`"
        else:
            assert _each(step) == pytest.approx(_each(recorded[name]), rel=TWO_MORE), f"{name}: run `make scale`"


def _each(step: Step) -> tuple[float, float]:
    """What each instance takes of its own partition, which no batch's size changes."""
    return step.written([TASK]) / step.instances, step.read([TASK]) / step.instances


def test_each_unit_is_somebodys(today: dict[str, Step]) -> None:
    for step in today.values():
        assert set(step.units) <= set(ROLES)
        assert all(units.written >= 0 and units.read >= 0 and units.partitions for units in step.units.values())
    assert today["queue"].units[STEP_INDEX].written == SIZE
    assert today["queue"].units[RUN_INDEX].written == 1
    assert today["sweep, all silent"].units[RUN_INDEX].written == pytest.approx(SIZE + 2), "each, and the batch"
    assert today["log_running"].units.keys() == {TASK}, "a start that is well writes nothing that others write"


def test_a_recording_is_read_as_it_was_written(
    today: dict[str, Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("scale") / RECORDED.name
    save(today.values(), path)
    assert load(path) == today
