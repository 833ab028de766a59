"""The limits fit each other: what a reply hands out may be handed back. docs/limits.md lists them."""

import re
from typing import Final

import pytest
from pydantic import TypeAdapter, ValidationError

from local.aws_limits import MAX_ITEM_BYTES, MAX_KEY_BYTES
from local.item_size import item_size
from local.template import ROOT
from lockstep.array import attention, pages, queue
from lockstep.cluster.known import FRESH_SECONDS, LOOK_AGAIN_SECONDS
from lockstep.context import PARALLEL
from lockstep.dag import downstream, edges, item
from lockstep.dynamodb import client, statements
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID
from lockstep.http import fields, reply, request
from lockstep.task import attempts, bind
from lockstep.task import item as task_item
from lockstep.task_instance import bulk
from lockstep.task_template import arguments
from lockstep.task_template import bind as template_bind
from lockstep.task_template import read as template_read
from lockstep.task_template.item import TemplateLookup, TemplateVersion
from lockstep.tool import read as tool_read
from lockstep.tool.item import ToolLookup
from lockstep.workflow import counts, listing, overview, progress
from lockstep.workflow_run import instantiate, last_look, poll
from ops.clusters import document, file
from ops.clusters.__main__ import MOST_BYTES_STORED

JOBMON_LISTS: Final = 500
"""The instances that Jobmon's client queues, and its distributor takes, in one call."""
BYTES_PER_ID: Final = len(f"{MAX_ID}, ")
MAX_NAME_BYTES: Final = 1_000
"""Of fields.Name."""
ENVELOPE: Final = 1_000
"""The bytes of a body or a reply beside its ids."""
LIMITS: Final = {
    "http.request.MAX_BODY_BYTES": request.MAX_BODY_BYTES,
    "http.fields.MAX_IDS_PER_CALL": fields.MAX_IDS_PER_CALL,
    "http.fields.MAX_TASKS_PER_CALL": fields.MAX_TASKS_PER_CALL,
    "http.fields.MAX_NODES_PER_CALL": fields.MAX_NODES_PER_CALL,
    "http.fields.MAX_NEIGHBOURS": fields.MAX_NEIGHBOURS,
    "http.fields.MAX_NODE_ARG_CHARACTERS": fields.MAX_NODE_ARG_CHARACTERS,
    "http.fields.MAX_NODE_ARGS_BYTES": fields.MAX_NODE_ARGS_BYTES,
    "workflow.progress.MOST_IN_FULL": progress.MOST_IN_FULL,
    "workflow.progress.MOST_TOLD": progress.MOST_TOLD,
    "workflow_run.poll.MOST_READ": poll.MOST_READ,
    "workflow_run.poll.MOST_TOLD": poll.MOST_TOLD,
    "workflow_run.poll.MOST_LOOKED_AT": poll.MOST_LOOKED_AT,
    "workflow_run.instantiate.TAKEN_AT_ONCE": instantiate.TAKEN_AT_ONCE,
    "array.queue.TASKS_PER_BATCH": queue.TASKS_PER_BATCH,
    "array.attention.STEPS_PER_PART": attention.STEPS_PER_PART,
    "array.attention.STEPS_PER_GROUP": attention.STEPS_PER_GROUP,
    "task_instance.bulk.WRITTEN_UNREAD": bulk.WRITTEN_UNREAD,
    "dynamodb.statements.STATEMENTS_PER_REQUEST": statements.STATEMENTS_PER_REQUEST,
    "dynamodb.client.KEYS_PER_READ": client.KEYS_PER_READ,
    "dynamodb.client.ACTIONS_PER_TRANSACTION": client.ACTIONS_PER_TRANSACTION,
    "dynamodb.client.ITEMS_PER_WRITE": client.ITEMS_PER_WRITE,
    "dynamodb.client.BYTES_PER_WRITE": client.BYTES_PER_WRITE,
    "array.queue.TASKS_PER_TRANSACTION": queue.TASKS_PER_TRANSACTION,
    "task.bind.TASKS_PER_TRANSACTION": bind.TASKS_PER_TRANSACTION,
    "task.item.MAX_INLINE_SPEC_BYTES": task_item.MAX_INLINE_SPEC_BYTES,
    "task_template.arguments.MAX_ARGUMENTS": arguments.MAX_ARGUMENTS,
    "task_template.bind.MAX_VERSION_BYTES": template_bind.MAX_VERSION_BYTES,
    "task_template.read.MOST_TEMPLATES": template_read.MOST_TEMPLATES,
    "task_template.read.MOST_VERSIONS": template_read.MOST_VERSIONS,
    "task_template.read.READ_BYTES": template_read.READ_BYTES,
    "tool.read.MOST_VERSIONS": tool_read.MOST_VERSIONS,
    "dag.edges.MOST_INLINE": edges.MOST_INLINE,
    "dag.item.IDS_PER_PART": item.IDS_PER_PART,
    "ops.clusters.document.MOST_BYTES": document.MOST_BYTES,
    "ops.clusters.document.MOST_LEVELS": document.MOST_LEVELS,
    "ops.clusters.file.MOST_BYTES_OF_A_NAME": file.MOST_BYTES_OF_A_NAME,
    "ops.clusters.file.MOST_BYTES_OF_PARAMETERS": file.MOST_BYTES_OF_PARAMETERS,
    "ops.clusters.__main__.MOST_BYTES_STORED": MOST_BYTES_STORED,
    "cluster.known.FRESH_SECONDS": FRESH_SECONDS,
    "cluster.known.LOOK_AGAIN_SECONDS": LOOK_AGAIN_SECONDS,
    "http.fields.MAX_FILTERS": fields.MAX_FILTERS,
    "workflow.listing.MOST_EXAMINED": listing.MOST_EXAMINED,
    "workflow.overview.MOST_RUNS": overview.MOST_RUNS,
    "workflow.overview.MOST_ARRAYS": overview.MOST_ARRAYS,
    "workflow.overview.MOST_ATTRIBUTES": overview.MOST_ATTRIBUTES,
    "workflow.counts.MOST_FAILED": counts.MOST_FAILED,
    "workflow.counts.MOST_SEEN": counts.MOST_SEEN,
    "array.pages.MOST_EXAMINED": pages.MOST_EXAMINED,
    "array.attention.MOST_BATCHES_NOTED": attention.MOST_BATCHES_NOTED,
    "task.attempts.MOST_ATTEMPTS": attempts.MOST_ATTEMPTS,
    "workflow_run.last_look.MOST_GROUPS": last_look.MOST_GROUPS,
    "context.PARALLEL": PARALLEL,
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_table_states_each_limit(name: str) -> None:
    table = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    [stated] = re.findall(rf"^\| `{re.escape(name)}` \| ([\d,]+) ", table, re.MULTILINE)
    assert int(stated.replace(",", "")) == LIMITS[name]


def test_a_body_holds_all_the_ids_that_a_call_may_list() -> None:
    assert fields.MAX_IDS_PER_CALL * BYTES_PER_ID + ENVELOPE <= request.MAX_BODY_BYTES


def test_a_reply_tells_no_more_than_a_request_lists() -> None:
    told_by_one_poll = poll.MOST_READ + poll.MOST_TOLD + attention.STEPS_PER_GROUP + attention.STEPS_PER_PART
    assert told_by_one_poll <= fields.MAX_IDS_PER_CALL


def test_a_batch_is_one_part_of_what_a_call_works_on() -> None:
    """A distributor counts its steps: it is told of all, and its launch and its ids take one call."""
    assert queue.TASKS_PER_BATCH <= attention.STEPS_PER_PART
    assert queue.TASKS_PER_BATCH <= bulk.WRITTEN_UNREAD


def test_what_jobmon_lists_in_one_call_is_done_as_a_whole() -> None:
    assert min(instantiate.TAKEN_AT_ONCE, queue.TASKS_PER_BATCH, bulk.WRITTEN_UNREAD) >= JOBMON_LISTS


def test_the_tasks_that_a_call_binds_may_be_queued_by_one() -> None:
    assert fields.MAX_TASKS_PER_CALL <= fields.MAX_IDS_PER_CALL


def test_transactions_fit_dynamodb() -> None:
    assert 2 * queue.TASKS_PER_TRANSACTION + 1 <= client.ACTIONS_PER_TRANSACTION
    assert 2 * bind.TASKS_PER_TRANSACTION <= client.ACTIONS_PER_TRANSACTION


def test_the_longest_names_fit_keys() -> None:
    longest = "x" * MAX_NAME_BYTES
    assert len(ToolLookup.key(longest).pk) <= MAX_KEY_BYTES["pk"]
    assert len(TemplateLookup.key(MAX_ID, longest).sk) <= MAX_KEY_BYTES["sk"]
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Name).validate_python(longest + "x")


def test_the_largest_template_version_fits_an_item() -> None:
    names = ["n"] * arguments.MAX_ARGUMENTS
    version = TemplateVersion(
        *TemplateVersion.key(MAX_ID, "", ""),
        id=MAX_ID,
        command_template="c" * (template_bind.MAX_VERSION_BYTES - 4 * arguments.MAX_ARGUMENTS),
        arg_mapping_hash="9" * 150,
        node_args=names,
        task_args=names,
        op_args=[],
    )
    assert item_size(version.serialize()) <= MAX_ITEM_BYTES
    assert template_bind.MAX_VERSION_BYTES < template_read.READ_BYTES


def test_the_tasks_whose_nodes_a_call_binds_may_be_bound_by_one() -> None:
    assert fields.MAX_NODES_PER_CALL <= fields.MAX_TASKS_PER_CALL


def test_a_reply_tells_of_one_task_whatever_lies_below_it() -> None:
    downstream._check_reply([fields.MAX_NEIGHBOURS])  # noqa: SLF001  # what it reckons is not told otherwise
    assert len(f"{MAX_LONG_ID}, ") <= downstream._ID_BYTES  # noqa: SLF001  # as above
    assert fields.MAX_NEIGHBOURS * len(f"{MAX_LONG_ID}, ") <= reply.MAX_REPLY_BYTES


def test_what_lies_around_a_node_fits_its_items() -> None:
    assert 2 * 8 * edges.MOST_INLINE + 200 <= 4_096, "one read unit"
    assert 8 * item.IDS_PER_PART + 200 <= 400 * 1024
    assert -(-fields.MAX_NEIGHBOURS // item.IDS_PER_PART) <= 999, "three digits number the parts"
    assert 8 * item.IDS_PER_PART <= client.BYTES_PER_WRITE <= 16_000_000
