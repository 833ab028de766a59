"""What a person sees of an audit: its findings, a line each, and what was counted."""

from rich.table import Table

from local.audit.ledger import Ledger
from local.audit.reading import Reader
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus

KINDS = {
    "TASK": "tasks",
    "SPEC": "specifications",
    "TI": "task instances",
    "LOG": "logs",
    "ERR": "error entries",
    "ARRAY": "arrays",
    "BATCH": "batches",
    "RUN": "workflow runs",
    "RESOURCES": "resources",
    "ARRAYOF": "lookups of arrays",
    "TASKOF": "lookups of tasks",
    "COUNTER": "counters",
    "unreadable": "items that cannot be read",
}


def counts(ledger: Ledger, reader: Reader, seconds: float, findings: int) -> Table:
    """What was audited, and what that took."""
    table = Table("audited", "how many", title="The audit", title_justify="left")
    table.columns[1].justify = "right"
    for kind, name in KINDS.items():
        if ledger.kinds[kind]:
            table.add_row(name, f"{ledger.kinds[kind]:,}")
    for title, names, found in (
        ("task", {each.value: each.name for each in TaskStatus}, ledger.tasks_by_status),
        ("task instance", {each.value: each.name for each in TaskInstanceStatus}, ledger.instances),
    ):
        table.add_section()
        for letter, count in sorted(
            found.items(), key=lambda each: list(names).index(each[0]) if each[0] in names else len(names)
        ):
            table.add_row(f"{title} {names.get(letter, repr(letter))}", f"{count:,}")
    table.add_section()
    for operation, count in sorted(reader.requests.items()):
        table.add_row(f"{operation} requests", f"{count:,}")
    table.add_row("read units", f"{reader.units:,.0f}")
    table.add_row("seconds", f"{seconds:,.1f}")
    table.add_row("findings", f"{findings:,}")
    return table
