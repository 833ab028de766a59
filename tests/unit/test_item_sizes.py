"""The largest task, and the largest task instance, that the limits allow take one write unit, by AWS's rules for sizes.

The tests compute it from the models' attributes. A new attribute of text needs an entry in TEXTS.
"""

from typing import Any, Final, get_args

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from local.aws_limits import MAX_ITEM_BYTES
from local.item_size import item_size
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID, IntegerAttribute, Key
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http import fields
from lockstep.task.item import MAX_INLINE_SPEC_BYTES, Task, changed_key, failed_key, feed_key
from lockstep.task_instance.item import (
    INSTANCES_PER_TASK,
    MAX_ERROR_BYTES,
    MAX_INLINE_BYTES,
    MAX_INSTANCE_NUMBER,
    MAX_LOG_CHARACTERS,
    ErrorEntry,
    InstanceKey,
    Log,
    TaskInstance,
    array_step_key,
    attention_flag,
)
from lockstep.text import digest

ONE_UNIT: Final = 1_024
LARGEST: Final = InstanceKey(MAX_ID // INSTANCES_PER_TASK, MAX_INSTANCE_NUMBER)
MOMENT: Final = "9999999999.999999"
"""A time in microseconds, as clock.now rounds it: until the year 2286."""
MAX_COUNTED: Final = 2**31
"""More batches of an array, and bindings of a task, than anybody counts one by one."""
MAX_STEP: Final = 99_999
"""Of the largest batch that a seed file may hold."""
BYTES_OF_A_CHARACTER: Final = 5
"""A lone surrogate, escaped (lockstep/text.py)."""


def most_bytes(field: Any) -> int:
    """The limit of a field of text."""
    [limit] = (each.limit for each in get_args(field) if hasattr(each, "limit"))
    return int(limit)


SPECIFICATION: Final = (
    "name",
    "short_name",
    "command",
    "stdout_dir",
    "stderr_dir",
    "resource_scales",
    "fallback_queues",
)
TEXTS: Final = {
    "array_step": len(array_step_key(MAX_ID, MAX_COUNTED, MAX_STEP)),
    "attention": len(attention_flag(TaskInstanceStatus.TRIAGING)),
    "distributor_id": most_bytes(fields.DistributorId),
    "status": len(TaskInstanceStatus.TRIAGING),
    "came_from": len(TaskInstanceStatus.TRIAGING),
    **MAX_INLINE_BYTES,
    **dict.fromkeys(SPECIFICATION, 0),
    "bound_as": len(digest("")),
    "feed": len(feed_key(MAX_ID, 0)) + 1,
    "changed": len(changed_key(0, TaskStatus.DONE)),
    "listed_in": len(feed_key(MAX_ID, 0)) + 1,
    "listed_as": len(failed_key(0, MAX_ID)),
    **dict.fromkeys(("claimed_with", "launched_as", "worker_job", "worker_node"), len(digest(""))),
}
"""The most bytes of each attribute of text; those of a specification, or a short name instead, count together."""
INTEGERS: Final = {
    "array_batch_num": MAX_COUNTED,
    "array_step_id": MAX_STEP,
    "max_attempts": MAX_COUNTED,
    "node_id": MAX_LONG_ID,
    "num_attempts": MAX_INSTANCE_NUMBER,
    "num_instances": MAX_INSTANCE_NUMBER,
    "process_group_id": -(2**63),
    "refusals": MAX_COUNTED,
    "spec_version": MAX_COUNTED,
    "takeovers": MAX_COUNTED,
}
"""The longest of each whole number that is no id."""


def largest(model: type[Task | TaskInstance], key: Key) -> dict[str, dict[str, str]]:
    """An item with every attribute of the model at its longest."""
    found = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    for name, attribute in model.get_attributes().items():
        if name in found:
            continue
        match attribute:
            case IntegerAttribute():
                found[name] = {"N": str(INTEGERS.get(name, MAX_ID))}
            case NumberAttribute():
                found[name] = {"N": MOMENT}
            case UnicodeAttribute():
                found[name] = {"S": "x" * TEXTS[name]}
            case other:
                pytest.fail(f"{name} is a {type(other).__name__}: say here how long it may be")
    return found


def test_the_largest_task_instance_takes_one_write_unit() -> None:
    size = item_size(largest(TaskInstance, TaskInstance.key(LARGEST)))
    assert size <= ONE_UNIT, f"{size} bytes: each heartbeat would take two write units"


def test_the_largest_task_takes_one_write_unit() -> None:
    item = largest(Task, Task.key(LARGEST.task_id))
    size = item_size(item) + MAX_INLINE_SPEC_BYTES
    assert size <= ONE_UNIT, f"{size} bytes: each transition would take two write units more"


def test_a_texts_limit_is_stated_for_attributes_that_exist() -> None:
    assert TEXTS.keys() | INTEGERS.keys() <= TaskInstance.get_attributes().keys() | Task.get_attributes().keys()


def test_the_largest_log_and_the_largest_error_entry_are_items() -> None:
    path, printed = {"S": "x" * fields.MAX_PATH_BYTES}, {"S": "x" * MAX_LOG_CHARACTERS * BYTES_OF_A_CHARACTER}
    log = {
        "nodename": {"S": "x" * most_bytes(fields.Nodename)},
        "stdout": path,
        "stderr": path,
        "stdout_log": printed,
        "stderr_log": printed,
        "expires_at": {"N": MOMENT},
    }
    entry = {"description": {"S": "x" * MAX_ERROR_BYTES}, "error_time": {"N": MOMENT}, "expires_at": {"N": MOMENT}}
    for key, attributes in ((Log.key(LARGEST), log), (ErrorEntry.key(LARGEST, "f" * 13), entry)):
        assert item_size({"pk": {"S": key.pk}, "sk": {"S": key.sk}, **attributes}) <= MAX_ITEM_BYTES
