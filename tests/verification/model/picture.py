"""Everything that is stored, as the table has it and as the oracle has it; and what must hold besides."""

from collections.abc import Mapping
from typing import Any, Final

from lockstep.text import unescape
from ops.audit.invariants.pairs import reachable
from ops.audit.small import check_table
from tests.verification.model.oracle import SAID, Oracle

Items = Mapping[tuple[str, str], Mapping[str, Any]]
Picture = dict[tuple[str, int], Any]

ENDED: Final = set("DEUZWF")
INSTANCE: Final = (
    "status",
    "status_date",
    "report_by",
    "workflow_run_id",
    "array_id",
    "array_batch_num",
    "array_step_id",
)
TASK: Final = ("status", "num_attempts", "max_attempts", "num_instances", "workflow_id", "array_id")


class Reader:
    """Reads a table, and remembers what it has read of an item while the item stays the same."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}

    def item(self, key: tuple[str, str], raw: Mapping[str, Any]) -> dict[str, Any]:
        kept = self._read.get(key)
        if kept is None or kept[0] is not raw:
            kept = self._read[key] = raw, {name: _value(typed) for name, typed in raw.items()}
        return kept[1]

    def picture(self, items: Items) -> Picture:
        """Tasks, instances, their error entries, arrays, runs."""
        shown: Picture = {}
        for (pk, sk), raw in items.items():
            item = self.item((pk, sk), raw)
            kind, _, number = pk.partition("#")
            if sk == "TASK":
                spec = self.item((pk, "SPEC"), items[pk, "SPEC"])
                what = (spec["name"], spec["command"], spec["task_resources_id"], spec["array_id"])
                shown["task", int(number)] = (*(item[name] for name in TASK), *what)
            elif kind == "TASK" and sk.startswith("TI#"):
                self._add_attempt(shown, int(number) * 1000 + int(sk[3:6]), sk, item, items.get((pk, f"{sk}#LOG")))
            elif sk == "ARRAY":
                shown["array", int(number)] = [item["name"], item["max_concurrently_running"], item["num_batches"]]
            elif sk == "RUN":
                shown["run", int(number)] = item["status"], item["heartbeat_date"], item.get("restarted_at", 0.0)
        return shown

    def _add_attempt(
        self, shown: Picture, number: int, sk: str, item: dict[str, Any], log: Mapping[str, Any] | None
    ) -> None:
        if "#ERR#" in sk:
            shown.setdefault(("errors", number), {})[item["description"]] = item["error_time"]
        elif not sk.endswith("#LOG"):
            apart = {name: _value(typed) for name, typed in (log or {}).items()}
            said = tuple(item.get(name, apart.get(name)) for name in SAID)
            shown["instance", number] = (*(item.get(name) for name in INSTANCE), item["task_resources_id"], *said)


def _value(typed: Mapping[str, Any]) -> Any:
    [(kind, content)] = typed.items()
    return float(content) if kind == "N" else unescape(content)


def expected(oracle: Oracle) -> Picture:
    """The same as the oracle has it."""
    shown: Picture = {}
    for i in oracle.instances.values():
        of_it = (i.status, i.since, i.report_by, i.run, *i.place, i.resources)
        shown["instance", i.id] = (*of_it, *(i.said[name] for name in SAID))
        if i.errors:
            shown["errors", i.id] = i.errors
    for task in oracle.tasks.values():
        workflow, row = task.bound
        counts = (task.status, task.attempts, row[6], task.made)
        shown["task", task.id] = (*counts, workflow, row[2], row[4], row[5], row[3], row[2])
    shown |= {("array", number): array for number, array in oracle.named.items()}
    shown |= {("run", number): (run.status, run.heard, run.succeeded) for number, run in oracle.runs.items()}
    return shown


def statuses(shown: Picture) -> dict[tuple[str, int], str]:
    """The status of each task and each instance."""
    return {key: row[0] for key, row in shown.items() if key[0] in {"instance", "task"}}


def differences(found: Picture, wanted: Picture) -> str:
    """What differs, a line each; empty if nothing does."""
    if found == wanted:
        return ""
    odd = [key for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)]
    return "\n".join(f"{key}: {found.get(key)} stands, {wanted.get(key)} should" for key in odd)


def broken_promises(before: Picture, after: Picture, items: Items) -> list[str]:
    """What must hold whatever the oracle says: no end is undone, and no invariant of the stored items is broken."""
    undone = [
        f"{key} was {was[0]} and is {after[key][0]}"
        for key, was in before.items()
        if (key[0] == "instance" and was[0] in ENDED) or (key[0] == "task" and was[0] == "D")
        if after[key][0] != was[0]
    ]
    return undone + [str(finding) for finding in check_table(items)]


for rebound in (False, True):
    reachable(rebound=rebound)  # computed before a deliberate mistake changes the rules
