"""The list of all workflows, newest first."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from lockstep.context import deadline
from lockstep.dynamodb.item import MAX_TITLE_BYTES, ListedIndex
from lockstep.dynamodb.reads import query
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.text import beginning
from lockstep.workflow.item import ALL_WORKFLOWS, MAX_USER_BYTES, Workflow, workflow_listed_as

MOST_EXAMINED: Final = 1_000
"""The workflows that a page looks at, to find those that are wanted: 65 read units at most."""
_LEAST_AT_ONCE: Final = 25
"""The entries that a request to DynamoDB asks for at least: a small page of what is rare must not take one for each."""
_ENOUGH: Final = 0.6
"""The share of the time after which a page ends."""
_INDEX: Final = ListedIndex.Meta.index_name


class Wanted(NamedTuple):
    """Filters for the list of workflows. Empty filters take all."""

    users: Collection[str] = ()
    statuses: Collection[WorkflowStatus] = ()
    name: str = ""
    """A part of the name, in any case."""

    def has(self, workflow: Workflow) -> bool:
        """Whether a workflow passes the filters. The list holds only the beginnings of its user and its name."""
        return (
            (not self.users or workflow.user in self.users)
            and (not self.statuses or workflow.status in self.statuses)
            and self.name.casefold() in (workflow.title or "").casefold()
        )


def filters(users: Iterable[str], statuses: Collection[WorkflowStatus], name: str) -> Wanted:
    """Filters of users and names in full length: the list holds their beginnings."""
    return Wanted({beginning(user, MAX_USER_BYTES) for user in users}, statuses, beginning(name, MAX_TITLE_BYTES))


class WorkflowPage(NamedTuple):
    """Some workflows by id, and the id before which the next page begins; None after the last page."""

    workflows: dict[int, Workflow]
    next_before: int | None


def list_workflows(wanted: Wanted, before: int | None, most: int) -> WorkflowPage:
    """The newest workflows with ids below `before` that are wanted, `most` at most.

    A page reads the index alone, and may hold fewer, because it looks at MOST_EXAMINED at most, and as many as its time
    allows.
    """
    last = workflow_listed_as(before - 1) if before is not None else "~"
    earlier = ListedIndex.listed_as <= last
    at_once = max(most, _LEAST_AT_ONCE)
    page: dict[int, Workflow] = {}
    for examined, raw in enumerate(query(ALL_WORKFLOWS, earlier, index=_INDEX, newest=True, at_once=at_once), 1):
        workflow = Workflow.from_raw_data(raw)
        workflow_id = int(raw["listed_as"]["S"])
        if wanted.has(workflow):
            page[workflow_id] = workflow
        if len(page) == most or examined == MOST_EXAMINED or deadline().spent(_ENOUGH):
            return WorkflowPage(page, workflow_id)
    return WorkflowPage(page, None)
