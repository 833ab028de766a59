"""What the benchmark tells of a growing workflow is what was measured."""

from bench.growth.measuring import measure
from bench.growth.tables import section


def test_a_small_workflow_is_measured_and_told() -> None:
    small = measure(2)
    assert {name: phase.write_units for name, phase in small.phases.items()} == {
        "nodes": 0,
        "edges": 1 + 2,
        "tasks": 5 + 2 * 4,
        "task arguments": 1,
        "full poll": 0,
        "poll, nothing changed": 0,
        "poll, changes": 0,
        "queue": 0,
        "half of the tasks again": 1,
        "reset": 0,
    }
    told = {row.what: row for row in section([small, small]).rows}
    assert told["2 tasks: binding a task"].result.startswith("8.50 write units")
    assert not told["2 tasks: binding a task"].met
    assert told["2 tasks: starting all over"].met
