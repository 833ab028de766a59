"""Check that what people look through lists every workflow, array and batch where it belongs."""

from collections.abc import Iterator

from lockstep.array.item import Array, Batch, array_listed_as, batch_listed_as, listed_in
from lockstep.workflow.item import ALL_WORKFLOWS, Workflow, workflow_listed_as
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed


def check_item(parsed: Parsed) -> Iterator[Finding]:
    """What lists an item never changes, so one look is enough. A batch does not say whose it is."""
    item, ids = parsed
    match item:
        case Workflow():
            must = ALL_WORKFLOWS, workflow_listed_as(ids[0])
        case Array():
            must = listed_in(item.workflow_id), array_listed_as(ids[0])
        case Batch():
            must = str(item.listed_in), batch_listed_as(ids[0], ids[1], item.sk if item.is_part else "")
        case _:
            return
    if (has := (item.listed_in, item.listed_as)) != must:
        yield Finding("list", in_words(item), f"listed as {has[1]} in {has[0]}", f"as {must[1]} in {must[0]}")
