"""Positional arrays: what we write is what Jobmon's own readers read, and what its clients write is what we read.

That JSON carries every text as it is, tests/routes/test_texts.py shows.
"""

import json
import subprocess
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from functions.task.bind_tasks_no_args.app import BoundTasksReply
from functions.task.get_task_resources.app import TaskResourcesReply
from functions.task_instance.instantiate_task_instances.app import InstantiateReply
from functions.task_instance.log_running.app import StartReply
from functions.task_instance.task_instance_error_log.app import ErrorLogReply
from local.template import ROOT
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.reply import as_json
from lockstep.task.to_bind import TaskToBind
from lockstep.workflow_run.instantiate import InstanceBatch

IDS: Final = st.integers(1, 2**53 - 1)
TEXT: Final = st.text(st.characters(codec=None) | st.sampled_from('\x00\x10\u2028\ud800\udfff"\\é😀'), max_size=40)
PLAIN: Final = st.text(max_size=40)
"""Without lone surrogates, which no program can print."""

START_NAMES: Final = (
    *("task_instance_id", "status", "workflow_run_id", "task_id", "name", "command", "workflow_id"),
    *("stdout_dir", "stderr_dir"),
)
BATCH_NAMES: Final = ("array_id", "array_name", "array_batch_num", "task_resources_id", "task_instance_ids")
ERROR_NAMES: Final = ("task_instance_error_log_id", "error_time", "description")


def starts(text: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    paths = st.none() | text
    return st.tuples(IDS, st.sampled_from(TaskInstanceStatus), IDS, IDS, text, text, IDS, paths, paths)


def batches(text: st.SearchStrategy[str]) -> st.SearchStrategy[InstanceBatch]:
    return st.builds(InstanceBatch, IDS, text, IDS, IDS, st.lists(IDS, max_size=5))


def errors(text: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[int, str, str]]:
    return st.tuples(st.integers(0, 2**52 - 1), st.just("2024-01-01 00:00:00"), text)


@given(st.dictionaries(TEXT, TEXT, max_size=4), st.dictionaries(TEXT, st.tuples(IDS, st.just("G")), max_size=4))
def test_json_carries_every_key_as_it_is(requested: dict[str, str], bound: dict[str, Any]) -> None:
    reply = TaskResourcesReply(requested_resources=requested, queue_name="q")
    assert json.loads(as_json(reply))["requested_resources"] == in_json(requested)
    assert json.loads(as_json(BoundTasksReply(tasks=bound))) == {"tasks": in_json(bound)}


def in_json(value: Any) -> Any:
    """As a client has it that reads JSON: two halves of a character are one."""
    return json.loads(json.dumps(value))


READ_BY_JOBMON: Final = """\
import json, sys
from jobmon.core.serializers import SerializeTaskInstance, SerializeTaskInstanceBatch, SerializeTaskInstanceErrorLog
start, batch, error = json.load(sys.stdin)
json.dump([
    [SerializeTaskInstance.kwargs_from_wire_worker_node(row) for row in start],
    [SerializeTaskInstanceBatch.kwargs_from_wire(row) for row in batch],
    [SerializeTaskInstanceErrorLog.kwargs_from_wire(row) for row in error],
], sys.stdout)
"""


@pytest.mark.parametrize("version", ["current", "earlier"])
def test_jobmons_readers_read_what_was_meant(version: str) -> None:
    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(*(st.lists(make(PLAIN), min_size=10, max_size=20) for make in (starts, batches, errors)))
    def read(started: list[Any], taken: list[Any], said: list[Any]) -> None:
        replies = [
            [json.loads(as_json(StartReply(task_instance=row)))["task_instance"] for row in started],
            json.loads(as_json(InstantiateReply(task_instance_batches=taken)))["task_instance_batches"],
            json.loads(as_json(ErrorLogReply(task_instance_error_log=said)))["task_instance_error_log"],
        ]
        meant = [
            [dict(zip(names, row, strict=True)) for row in rows]
            for names, rows in ((START_NAMES, started), (BATCH_NAMES, taken), (ERROR_NAMES, said))
        ]
        assert run(version, replies) == in_json(meant)

    read()


def run(version: str, replies: Any) -> Any:
    python = ROOT / f".jobmon/{version}/bin/python"
    ended = subprocess.run(
        [python, "-c", READ_BY_JOBMON], input=json.dumps(replies), capture_output=True, encoding="utf-8", check=True
    )
    return json.loads(ended.stdout)


ROWS: Final = TypeAdapter(TaskToBind)
ROW: Final = st.tuples(
    *(IDS, TEXT, IDS, IDS, TEXT, TEXT, st.integers(0, 2**31 - 1), st.booleans()),
    st.dictionaries(PLAIN, st.floats(allow_nan=False, allow_infinity=False), max_size=2) | st.none(),
    st.lists(PLAIN, max_size=2),
)


@given(ROW, st.integers(0, 12))
def test_a_task_to_bind_has_seven_to_ten_parts(row: tuple[Any, ...], length: int) -> None:
    """Jobmon's clients send ten; the last three may be missing."""
    sent = json.loads(json.dumps([*row, 0, 0][:length]))
    if not 7 <= length <= 10:
        with pytest.raises(ValidationError):
            ROWS.validate_python(sent)
        return
    bound = ROWS.validate_python(sent)
    defaults = [False, None, None]
    assert list(bound) == in_json([*row[:length], *defaults[length - 7 :]])


@given(st.integers(1, 2**63 - 1))
def test_a_node_has_an_id_of_up_to_63_bits(number: int) -> None:
    row: list[Any] = [number, "h", 1, 1, "t", "true", 3]
    assert ROWS.validate_json(json.dumps(row)).node_id == number
    for wrong in (1 - number, 2**63 - 1 + number):
        with pytest.raises(ValidationError):
            ROWS.validate_python([wrong, *row[1:]])


@given(st.integers(min_value=2**53) | st.integers(max_value=0), st.sampled_from([2, 3]))
def test_a_task_to_bind_has_ids_that_every_reader_keeps_exact(number: int, place: int) -> None:
    row: list[Any] = [1, "h", 1, 1, "t", "true", 3]
    row[place] = number
    with pytest.raises(ValidationError):
        ROWS.validate_python(row)


@given(st.integers(0, 10**78))
def test_a_hash_is_its_digits_whether_it_comes_as_a_number_or_as_text(number: int) -> None:
    rows = [json.loads(json.dumps([1, sent, 1, 1, "t", "true", 3])) for sent in (number, str(number))]
    assert ROWS.validate_python(rows[0]) == ROWS.validate_python(rows[1])
    assert ROWS.validate_python(rows[0]).task_args_hash == str(number)
    assert ROWS.validate_json(json.dumps(rows[0])).task_args_hash == str(number)
