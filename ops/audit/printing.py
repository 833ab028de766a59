"""What a person sees of an audit: its findings, a line each, and what was counted."""

from rich.table import Table

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.items import PLURALS
from ops.audit.ledger import Ledger
from ops.audit.reading import Reader


def counts(ledger: Ledger, reader: Reader, seconds: float, findings: int) -> Table:
    """What was audited, and what that took."""
    table = Table("audited", "how many", title="The audit", title_justify="left")
    table.columns[1].justify = "right"
    for model, plural in PLURALS.items():
        if ledger.kinds[model]:
            table.add_row(plural, f"{ledger.kinds[model]:,}")
    if ledger.unreadable:
        table.add_row("items that cannot be read", f"{ledger.unreadable:,}")
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
