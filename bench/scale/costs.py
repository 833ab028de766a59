"""The measured cost of each step of an instance's life in DynamoDB units, by the role of the partition key."""

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
FEED_INDEX: Final = "index feed"
LISTED_INDEX: Final = "index listed"
WORKFLOW: Final = "workflow"
INDEXES: Final = (STEP_INDEX, RUN_INDEX, FEED_INDEX, LISTED_INDEX)
ROLES: Final = (TASK, ARRAY, BATCH, RUN, WORKFLOW, RESOURCES, COUNTER, LOOKUP, *INDEXES)


@dataclass(frozen=True, slots=True)
class Units:
    """The units that a step takes of the partitions of one role."""

    written: float = 0
    read: float = 0
    partitions: int = 0
    """The number of different partitions."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measured step."""

    name: str
    instances: int
    """The number of instances that the request was about."""
    requests: int
    """The number of requests that the functions sent to DynamoDB."""
    units: Mapping[str, Units]
    """The units by role."""

    def written(self, roles: Iterable[str] = ROLES) -> float:
        """Return its write units."""
        return sum(self.units[role].written for role in roles if role in self.units)

    def read(self, roles: Iterable[str] = ROLES) -> float:
        """Return its read units."""
        return sum(self.units[role].read for role in roles if role in self.units)


def save(steps: Iterable[Step], path: Path = RECORDED) -> None:
    """Write a recording, one step a line."""
    lines = ",\n".join(json.dumps(asdict(step)) for step in steps)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def load(path: Path = RECORDED) -> dict[str, Step]:
    """Read a recording. Returns the steps by name."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {row["name"]: Step(**row | {"units": _units(row["units"])}) for row in rows}


def _units(by_role: Mapping[str, Mapping[str, float]]) -> dict[str, Units]:
    return {role: Units(units["written"], units["read"], int(units["partitions"])) for role, units in by_role.items()}
