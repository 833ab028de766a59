"""The limits fit each other: what a reply hands out may be handed back. docs/limits.md lists them."""

import re
from collections.abc import Set as AbstractSet
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
from pydantic import TypeAdapter, ValidationError

from local.aws_limits import MAX_ITEM_BYTES, MAX_KEY_BYTES
from local.item_size import item_size
from local.template import ROOT
from lockstep.array import portions, queue
from lockstep.dag import downstream, edges, item
from lockstep.dynamodb import client, puts
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID
from lockstep.http import fields, reply, request
from lockstep.task import bind
from lockstep.task_instance import bulk
from lockstep.task_template import arguments
from lockstep.task_template import bind as template_bind
from lockstep.task_template import read as template_read
from lockstep.task_template.item import TemplateLookup, TemplateVersion
from lockstep.tool.item import ToolLookup
from lockstep.workflow_run import instantiate, poll

JOBMON_LISTS: Final = 500
"""The instances that Jobmon's client queues, and its distributor takes, in one call."""
BYTES_PER_ID: Final = len(f"{MAX_ID}, ")
MAX_NAME_BYTES: Final = 1_000
"""Of fields.Name."""
PACKAGE: Final = ROOT / "shared/lockstep"
ENVELOPE: Final = 1_000
"""The bytes of a body or a reply beside its ids."""
_ROW: Final = re.compile(r"^\| `([\w.]+)\.([A-Z][A-Z_]+)` \| ([\d,]+) ", re.MULTILINE)
STATED: Final = {
    (module, name): int(value.replace(",", ""))
    for module, name, value in _ROW.findall((ROOT / "docs/limits.md").read_text(encoding="utf-8"))
}
"""What docs/limits.md states, by module and name."""
_SHARE: Final = re.compile(r"^\| `([\w.]+)\.(_ENOUGH\w*)` \| (\d+) % ", re.MULTILINE)
SHARES: Final = {
    (module, name): int(percent) / 100
    for module, name, percent in _SHARE.findall((ROOT / "docs/limits.md").read_text(encoding="utf-8"))
}
"""The shares of the time that docs/limits.md states, by module and name."""


def _bounds() -> AbstractSet[tuple[str, str]]:
    """The numbers of the layer that are named as limits."""
    return _set_in_layer("(MAX|MOST)_").keys()


def _set_in_layer(names: str) -> dict[tuple[str, str], float]:
    """The numbers that a module of the layer sets itself, by module and name, with names that begin so."""
    found = {}
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        for name, value in vars(import_module(f"{PACKAGE.name}.{module}")).items():
            if re.match(names, name) and isinstance(value, int | float) and _is_set_in(file, name):
                found[module, name] = value
    return found


def _is_set_in(file: Path, name: str) -> bool:
    return re.search(rf"^{name}(: Final)? =", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_the_table_states_each_limit_of_the_layer() -> None:
    assert _bounds() - STATED.keys() == set()


@pytest.mark.parametrize(("module", "name"), STATED)
def test_the_table_states_what_holds(module: str, name: str) -> None:
    home = module if module.startswith("ops.") else f"{PACKAGE.name}.{module}"
    assert getattr(import_module(home), name) == STATED[module, name]


def test_the_table_states_each_share_of_the_time() -> None:
    assert _set_in_layer("_ENOUGH") == SHARES


def test_a_body_holds_all_the_ids_that_a_call_may_list() -> None:
    assert fields.MAX_IDS_PER_CALL * BYTES_PER_ID + ENVELOPE <= request.MAX_BODY_BYTES


def test_a_reply_tells_no_more_than_a_request_lists() -> None:
    told_by_one_poll = poll.MOST_READ + poll.MOST_TOLD + portions.STEPS_PER_GROUP + portions.STEPS_PER_PORTION
    assert told_by_one_poll <= fields.MAX_IDS_PER_CALL


def test_a_batch_is_one_part_of_what_a_call_works_on() -> None:
    """A distributor counts its steps: it is told of all, and its launch and its ids take one call."""
    assert queue.TASKS_PER_BATCH <= portions.STEPS_PER_PORTION
    assert queue.TASKS_PER_BATCH <= bulk.WRITTEN_UNREAD


def test_what_jobmon_lists_in_one_call_is_done_as_a_whole() -> None:
    assert min(instantiate.TAKEN_AT_ONCE, queue.TASKS_PER_BATCH, bulk.WRITTEN_UNREAD) >= JOBMON_LISTS


def test_what_jobmon_notes_of_tasks_fits_one_call() -> None:
    assert JOBMON_LISTS * 100 <= fields.MAX_ATTRIBUTES_PER_CALL
    assert JOBMON_LISTS <= fields.MAX_SETS_PER_CALL


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
    assert 8 * item.IDS_PER_PART <= puts.BYTES_PER_WRITE <= 16_000_000
