"""Bind a workflow: find or make it by its natural key, and note its attributes."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from pynamodb.attributes import Attribute
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.clock import now
from lockstep.dag.item import Dag
from lockstep.dynamodb.client import ConditionFailedError, transact
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.item import MAX_TITLE_BYTES, Item
from lockstep.dynamodb.puts import put_repeatable
from lockstep.dynamodb.reads import fetch, fetch_present, query
from lockstep.errors import FieldError, InvalidError
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.text import beginning
from lockstep.tool.item import ToolVersion
from lockstep.workflow.item import (
    ALL_WORKFLOWS,
    Workflow,
    WorkflowAttribute,
    WorkflowLookup,
    WorkflowSpec,
    workflow_listed_as,
)
from lockstep.workflow.read import not_there, read_workflow

MOST_MATCHING: Final = 10_000
"""The workflows with the same arguments that are listed at most."""
ATTRIBUTES_PER_TRANSACTION: Final = 90
"""The attributes that are written with the workflow, which has up to three items of its own. The others follow it."""


class NaturalKey(NamedTuple):
    """A workflow's identity: its tool version, its tasks and their order, its arguments."""

    workflow_args_hash: str
    tool_version_id: int
    dag_id: int
    task_hash: str


class Description(NamedTuple):
    """The details of a workflow that each binding replaces."""

    name: str | None
    description: str | None
    workflow_args: str | None
    max_concurrently_running: int | None
    attributes: Mapping[str, str | None]


class BoundWorkflow(NamedTuple):
    """A workflow that is bound."""

    workflow_id: int
    status: WorkflowStatus
    newly_created: bool
    """Nobody can have run it yet, so a client whose first reply was lost may go on with it."""


def bind_workflow(key: NaturalKey, details: Description) -> BoundWorkflow:
    """Find or make the workflow with a natural key. A known one gets the new name, description, limit and attributes.

    Callers that race get the same workflow. Its attributes are never removed.

    Raises:
        InvalidError: there is no such workflow yet, and its tool version or its DAG does not exist. Nothing was stored.
        UnavailableError: not all attributes are noted; the same call again notes the rest.
    """
    bound = _find_or_make(key, details)
    _put_others(bound.workflow_id, details.attributes)
    return bound


def _find_or_make(key: NaturalKey, details: Description) -> BoundWorkflow:
    lookup = WorkflowLookup.key(*key)
    found = fetch([lookup], consistent=True).get(lookup)
    if not found:
        _check_references(key)
    while not found:
        [workflow_id] = allocate("workflow", 1)
        try:
            transact(partial(_make, workflow_id=workflow_id, key=key, details=details))
        except ConditionFailedError as failed:
            found = failed.found[0]  # none: tasks were bound to a workflow of this number before it was given out
        else:
            return BoundWorkflow(workflow_id, WorkflowStatus.REGISTERING, newly_created=True)
    return _bind_again(WorkflowLookup.from_raw_data(found).id, details)


def _check_references(key: NaturalKey) -> None:
    """Require that the tool version and the DAG exist. Neither is ever deleted, so a known workflow has both."""
    references = {
        "tool_version_id": (ToolVersion.key(key.tool_version_id), f"tool version {key.tool_version_id}"),
        "dag_id": (Dag.key(key.dag_id), f"DAG {key.dag_id}"),
    }
    found = fetch_present(item for item, _ in references.values())
    missing = {field: name for field, (item, name) in references.items() if item not in found}
    if missing:
        raise InvalidError([FieldError(field, f"{name} does not exist") for field, name in missing.items()])


def _make(transaction: TransactWrite, workflow_id: int, key: NaturalKey, details: Description) -> None:
    lookup = WorkflowLookup(*WorkflowLookup.key(*key), id=workflow_id)
    transaction.save(lookup, WorkflowLookup.pk.does_not_exist(), return_values="ALL_OLD")
    transaction.save(
        Workflow(
            *Workflow.key(workflow_id),
            status=WorkflowStatus.REGISTERING,
            status_date=now(),
            max_concurrently_running=details.max_concurrently_running,
            title=_title(details.name),
            listed_in=ALL_WORKFLOWS,
            listed_as=workflow_listed_as(workflow_id),
        ),
        Workflow.pk.does_not_exist(),
    )
    transaction.save(
        WorkflowSpec(
            *WorkflowSpec.key(workflow_id),
            tool_version_id=key.tool_version_id,
            dag_id=key.dag_id,
            workflow_args_hash=key.workflow_args_hash,
            task_hash=key.task_hash,
            name=details.name,
            description=details.description,
            workflow_args=details.workflow_args,
        )
    )
    _add_attributes(transaction, workflow_id, details.attributes)


def _bind_again(workflow_id: int, details: Description) -> BoundWorkflow:
    def build(transaction: TransactWrite) -> None:
        _add_attributes(transaction, workflow_id, details.attributes)
        transaction.update(
            Workflow(*Workflow.key(workflow_id)),
            [
                _set_or_remove(Workflow.max_concurrently_running, details.max_concurrently_running),
                _set_or_remove(Workflow.title, _title(details.name)),
            ],
        )
        transaction.update(
            WorkflowSpec(*WorkflowSpec.key(workflow_id)),
            [
                _set_or_remove(WorkflowSpec.name, details.name),
                _set_or_remove(WorkflowSpec.description, details.description),
            ],
        )

    transact(build)
    workflow = read_workflow(workflow_id)
    return BoundWorkflow(workflow_id, WorkflowStatus(workflow.status), newly_created=workflow.created_date is None)


def _title(name: str | None) -> str | None:
    return None if name is None else beginning(name, MAX_TITLE_BYTES)


def _set_or_remove(attribute: Attribute[Any], value: Any) -> Action:
    return attribute.remove() if value is None else attribute.set(value)


def note_attributes(workflow_id: int, attributes: Mapping[str, str | None]) -> None:
    """Note attributes of a workflow; those with the same names get the new values.

    Raises:
        NotFoundError: the workflow does not exist.
        UnavailableError: some may be noted; the same call again notes the rest.
    """
    if not attributes:
        read_workflow(workflow_id)
        return

    def build(transaction: TransactWrite) -> None:
        transaction.condition_check(Workflow, *Workflow.key(workflow_id), Workflow.pk.exists())
        _add_attributes(transaction, workflow_id, attributes)

    try:
        transact(build)
    except ConditionFailedError:
        raise not_there(workflow_id) from None
    _put_others(workflow_id, attributes)


def _add_attributes(transaction: TransactWrite, workflow_id: int, attributes: Mapping[str, str | None]) -> None:
    """Add as many attributes to a transaction as it holds."""
    for item in islice(_attributes(workflow_id, attributes), ATTRIBUTES_PER_TRANSACTION):
        transaction.save(item)


def _put_others(workflow_id: int, attributes: Mapping[str, str | None]) -> None:
    """Put the attributes that the transaction did not hold. The workflow exists by now, and is never deleted."""
    others = islice(_attributes(workflow_id, attributes), ATTRIBUTES_PER_TRANSACTION, None)
    put_repeatable(list(others), told_apart_by=["value"])


def _attributes(workflow_id: int, attributes: Mapping[str, str | None]) -> Iterator[WorkflowAttribute]:
    for name, value in attributes.items():
        yield WorkflowAttribute(*WorkflowAttribute.key(workflow_id, name), value=value)


class Matching(NamedTuple):
    """A workflow with the arguments asked for, as Jobmon's client reads it: positional."""

    task_hash: str
    tool_version_id: int
    dag_hash: str


def matching_workflows(workflow_args_hash: str) -> list[Matching]:
    """The workflows that have these arguments, of any tool version; MOST_MATCHING at most."""
    found: list[Matching] = []
    every = Item.sk >= "0"
    for raw in query(WorkflowLookup.partition(workflow_args_hash), every, consistent=True):
        tool_version_id, dag_id, task_hash = raw["sk"]["S"].split("#")
        found.append(Matching(task_hash, int(tool_version_id), dag_id))
        if len(found) == MOST_MATCHING:
            break
    return found
