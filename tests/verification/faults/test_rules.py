"""Each rule of a table finds the table that breaks it. Those of the audit: tests/system/test_audit.py, TEARS."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from tests.verification.faults.engine import World, working
from tests.verification.faults.rules import due_too_late, reachable, violations
from tests.verification.faults.scenarios import standing

Items = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def items() -> Iterator[Items]:
    with working() as world:
        yield prepared(world)


def prepared(world: World) -> Items:
    standing("O", "R", "T", "Q")
    return {key: dict(item) for key, item in world.table.items.items()}


def of(items: Items, kind: str) -> tuple[str, str]:
    return min(key for key in items if key[1] == kind)


def item(kind: str, **changes: Any) -> Callable[[Items], Items]:
    def spoil(items: Items) -> Items:
        key = of(items, kind)
        changed = {name: value for name, value in {**items[key], **changes}.items() if value is not None}
        return {**items, key: changed}

    return spoil


SPOILED: dict[str, tuple[Callable[[Items], Items], str]] = {
    "a torn pair": (item("TASK", status={"S": "D"}), "went from O/O to O/D"),
    "an instance that moved alone": (item("TI#001", status={"S": "D"}), "went from O/O to D/O"),
    "an attempt twice": (item("TASK", num_attempts={"N": "2"}), "had 1 attempts and has 2"),
    "a batch that nobody looks at": (item("BATCH", attention=None), "batch-attention: "),
}


@pytest.mark.parametrize(("spoil", "found"), SPOILED.values(), ids=SPOILED)
def test_a_table_that_breaks_a_rule_is_found(items: Items, spoil: Callable[[Items], Items], found: str) -> None:
    assert violations(items, items) == []
    assert any(found in what for what in violations(items, spoil(items)))


def test_a_batch_that_is_looked_at_too_late_is_found(items: Items) -> None:
    at = 1_700_000_000.0
    assert due_too_late(items, at, slack=1.0) == []
    late = item("BATCH", attention={"S": "W#99999999999999"})(items)
    assert due_too_late(late, at, slack=1.0)


def test_what_is_reachable_follows_the_state_machine() -> None:
    running = TaskInstanceStatus.RUNNING, TaskStatus.RUNNING
    done = TaskInstanceStatus.DONE, TaskStatus.DONE
    assert done in reachable(running)
    assert running not in reachable(done)
    assert (TaskInstanceStatus.DONE, TaskStatus.RUNNING) not in reachable(running)
