"""What each step of an instance's life takes of DynamoDB, by whose key partition it takes it: as it was measured."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

RECORDED: Final = Path(__file__).with_name("recorded.json")

TASK: Final = "task"
"""A task's own partition, with all its instances."""
ARRAY: Final = "array"
BATCH: Final = "batch"
"""One batch's own."""
RUN: Final = "run"
RESOURCES: Final = "resources"
COUNTER: Final = "counter"
LOOKUP: Final = "lookup"
STEP_INDEX: Final = "index array-step"
RUN_INDEX: Final = "index run"
ROLES: Final = (TASK, ARRAY, BATCH, RUN, RESOURCES, COUNTER, LOOKUP, STEP_INDEX, RUN_INDEX)
INDEXES: Final = frozenset({STEP_INDEX, RUN_INDEX})


@dataclass(frozen=True, slots=True)
class Units:
    """What was taken of the partitions of one role."""

    written: float = 0
    read: float = 0
    partitions: int = 0
    """How many different ones."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as it was measured."""

    name: str
    instances: int
    """That it spoke of."""
    requests: int
    """That the functions sent to DynamoDB."""
    units: Mapping[str, Units]
    """By role."""

    def written(self, roles: Iterable[str] = ROLES) -> float:
        """Write units."""
        return sum(self.units[role].written for role in roles if role in self.units)

    def read(self, roles: Iterable[str] = ROLES) -> float:
        """Read units."""
        return sum(self.units[role].read for role in roles if role in self.units)


def save(steps: Iterable[Step], path: Path = RECORDED) -> None:
    """Write a recording, one step a line."""
    lines = ",\n".join(json.dumps(asdict(step)) for step in steps)
    path.write_text(f"[\n{lines}\n]\n")


def load(path: Path = RECORDED) -> dict[str, Step]:
    """A recording, by the steps' names."""
    rows = json.loads(path.read_text())
    return {row["name"]: Step(**row | {"units": _units(row["units"])}) for row in rows}


def _units(by_role: Mapping[str, Mapping[str, float]]) -> dict[str, Units]:
    return {role: Units(units["written"], units["read"], int(units["partitions"])) for role, units in by_role.items()}
