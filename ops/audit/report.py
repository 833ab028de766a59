"""The table of counts that ends an audit."""

from collections import Counter
from enum import StrEnum

from rich.table import Table

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.items import PLURALS
from ops.audit.reader import Reader
from ops.audit.seen import Seen


def counts(seen: Seen, reader: Reader, seconds: float, findings: int) -> Table:
    """What was audited, and what that took."""
    table = Table("audited", "how many", title="The audit", title_justify="left")
    table.columns[1].justify = "right"
    kinds = {plural: seen.kinds[model] for model, plural in PLURALS.items()}
    for name, count in (kinds | {"items that cannot be read": seen.unreadable}).items():
        if count:
            table.add_row(name, f"{count:,}")
    _add_statuses(table, "task", TaskStatus, seen.tasks_by_status)
    _add_statuses(table, "task instance", TaskInstanceStatus, seen.instances)
    table.add_section()
    for operation, count in sorted(reader.requests.items()):
        table.add_row(f"{operation} requests", f"{count:,}")
    table.add_row("read units", f"{reader.units:,.0f}")
    table.add_row("seconds", f"{seconds:,.1f}")
    table.add_row("findings", f"{findings:,}")
    return table


def _add_statuses(table: Table, kind: str, statuses: type[StrEnum], found: Counter[str]) -> None:
    table.add_section()
    names = {status.value: status.name for status in statuses}
    for letter in [*names, *(found.keys() - names.keys())]:
        if found[letter]:
            table.add_row(f"{kind} {names.get(letter, repr(letter))}", f"{found[letter]:,}")
