"""Everything that stands, as the table has it and as the oracle has it; and what must be so whatever the rules say."""

from collections.abc import Mapping
from typing import Any, Final

from lockstep.text import unescape
from tests.model.oracle import SAID, VALID, Oracle

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
    """Reads a table. What it has read of an item it remembers while the item stays."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}

    def item(self, key: tuple[str, str], raw: Mapping[str, Any]) -> dict[str, Any]:
        known = self._read.get(key)
        if known is None or known[0] is not raw:
            known = self._read[key] = raw, {name: _value(typed) for name, typed in raw.items()}
        return known[1]

    def picture(self, items: Items) -> Picture:
        """Tasks, instances, what was said of their failures, arrays, runs."""
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
    """The same by the oracle."""
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
    """Where each task and each instance is."""
    return {key: row[0] for key, row in shown.items() if key[0] in {"instance", "task"}}


def differences(found: Picture, wanted: Picture) -> str:
    """What is not as it should be, a line each; empty if all is."""
    if found == wanted:
        return ""
    odd = [key for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)]
    return "\n".join(f"{key}: {found.get(key)} stands, {wanted.get(key)} should" for key in odd)


def broken_promises(before: Picture, after: Picture, items: Items, reader: Reader) -> list[str]:
    """What no rule may bring about, whatever the clocks: an end undone, a pair torn, an index that hides something."""
    return [*_undone(before, after), *_torn(after), *_hidden(after, items, reader)]


def _undone(before: Picture, after: Picture) -> list[str]:
    return [
        f"{key} was {was[0]} and is {after[key][0]}"
        for key, was in before.items()
        if (key[0] == "instance" and was[0] in ENDED) or (key[0] == "task" and was[0] == "D")
        if after[key][0] != was[0]
    ]


def _torn(after: Picture) -> list[str]:
    """A task is done if and only if its latest attempt is; an earlier one may be done alone."""
    latest = {
        number: after.get(("instance", number * 1000 + int(item[TASK.index("num_instances")])), "-")[0]
        for (kind, number), item in after.items()
        if kind == "task"
    }
    stands = {number: after["task", number][0] for number in latest}
    return [
        f"task {number} is {stands[number]}, its latest attempt {status}"
        for number, status in latest.items()
        if (stands[number] == "D") != (status == "D")
    ]


def _hidden(after: Picture, items: Items, reader: Reader) -> list[str]:
    wrong = []
    members: dict[tuple[float, float], list[tuple[float, int]]] = {}
    for (kind, number), instance in after.items():
        if kind == "instance":
            members.setdefault((instance[4], instance[5]), []).append((instance[6], number))
            key = f"TASK#{number // 1000}", f"TI#{number % 1000:03d}"
            item = reader.item(key, items[key])
            flag = f"I#{instance[0]}" if instance[0] in "TXK" else None
            wrong += [f"{number} is {instance[0]} and flagged {item.get('attention')}"] * (
                item.get("attention") != flag
            )
    for (array, batch_num), placed in members.items():
        key = f"BATCH#{array:.0f}#{batch_num:.0f}", "BATCH"
        batch, steps = reader.item(key, items[key]), sorted(placed)
        ids = [task_instance_id for _, task_instance_id in steps]
        letters = [after["instance", task_instance_id][0] for task_instance_id in ids]
        if [step for step, _ in steps] != list(range(len(steps))) or ids != sorted(ids) or batch["size"] != len(ids):
            wrong.append(f"{key[0]} has steps {steps}")
        if not all(now in FOLLOWING[seen] for now, seen in zip(letters, batch["seen"], strict=True)):
            wrong.append(f"{key[0]} was seen as {batch['seen']} and is {''.join(letters)}")
        if "attention" not in batch and not ENDED.issuperset(letters):
            wrong.append(f"nobody looks at {key[0]}, which is {''.join(letters)}")
    return wrong


def _following(status: str) -> set[str]:
    reached = {status} | ({"F"} - ENDED if status in ENDED else {"F"})
    while more := {move[1] for move in VALID if move[0] in reached} - reached:
        reached |= more
    return reached


FOLLOWING: Final = {status: _following(status) for status in "QIORTXKDEUZWF"}
"""Where an instance may be that was seen in a status."""
