"""No reply and no log line is larger than what carries it: the worst cases. Contracts state the largest replies."""

import json
from typing import Any, Final

import pytest

from functions.task.bind_tasks_no_args.app import BoundTasksReply
from functions.task_instance.instantiate_task_instances.app import InstantiateReply
from functions.task_template.get_task_template_versions.app import TaskTemplateVersionsReply
from functions.task_template.get_task_templates.app import TaskTemplatesReply
from lockstep.context import request
from lockstep.dynamodb.item import MAX_ID
from lockstep.dynamodb.reads import fetch
from lockstep.errors import MAX_FIELDS, FieldError, InvalidError
from lockstep.fsm.statuses import TaskStatus
from lockstep.http import reply
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.http.reply import MAX_REPLY_BYTES, as_json, carried
from lockstep.task import to_bind
from lockstep.task.bound_item import TaskLookup
from lockstep.task_template.arguments import MAX_ARGUMENTS
from lockstep.task_template.bind import MAX_VERSION_BYTES
from lockstep.task_template.views import TemplateRow
from lockstep.text import size
from lockstep.workflow_run import instantiate
from lockstep.workflow_run.instantiate import InstanceBatch
from tests.conformance.recording import Player
from tests.routes.test_observability import Seen, seen
from tests.support.largest import GROWS, GROWS_MOST, LARGEST_VERSION, NAME
from tests.support.seeding import pair
from tests.support.sizes import SIZES, document

__all__ = ["seen"]  # a fixture

TEMPLATE: Final = TemplateRow(MAX_ID, MAX_ID, NAME)


def test_the_document_states_the_size_of_each_route() -> None:
    assert SIZES.read_text(encoding="utf-8") == document(), "run `make docs`"


@pytest.mark.parametrize("character", [GROWS, '"', "\u00e9", GROWS_MOST])
def test_what_a_binding_tells_is_never_more_than_was_reckoned(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"{number:05d}{character * 20}": (MAX_ID, TaskStatus.ERROR_FATAL) for number in range(1_000)}
    taken = carried(as_json(BoundTasksReply(tasks=names)))
    monkeypatch.setattr(to_bind, "MAX_REPLY_BYTES", taken - 1)
    with pytest.raises(InvalidError):
        to_bind._check_reply(names)  # noqa: SLF001  # what it reckons is not told otherwise


def test_names_that_no_reply_holds_are_refused_before_anything_is_bound(player: Player) -> None:
    rows = {f"{number:05d}" + '"' * 250: [number, "h", 1, 1, "t", "c", 3] for number in range(1, 7_001)}
    body = json.dumps({"workflow_id": 77, "tasks": rows}).encode()
    status, problem = player.send("PUT", "/api/v3/task/bind_tasks_no_args", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["tasks"])
    assert "send fewer tasks a call" in problem["detail"]
    with request():
        assert not fetch([TaskLookup.key(77, number, "h") for number in range(1, 101)], consistent=True)


def take(player: Player, ids: list[int]) -> list[int]:
    body = json.dumps({"task_instance_ids": ids})
    status, taken = player.send("POST", "/api/v3/task_instance/instantiate_task_instances", body)
    assert status == 200, taken
    return [number for *_, members in taken["task_instance_batches"] for number in members]


def test_only_instances_of_which_a_reply_can_tell_are_taken(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply of 6 MB tells of 880 arrays with the longest names. A smaller one, of fewer."""
    ids = [pair("Q", "Q", array={"name": NAME}) for _ in range(30)]
    monkeypatch.setattr(instantiate, "MAX_REPLY_BYTES", MAX_REPLY_BYTES // 40)
    told = take(player, ids)
    assert told == ids[: len(told)]
    assert 15 < len(told) < 30
    assert take(player, ids) == told, "the same call again, as after a lost reply, tells the same"
    statuses = [player.send("GET", f"/api/v3/task_instance/{number}")[1]["task_instance"]["status"] for number in ids]
    assert statuses == ["I"] * len(told) + ["Q"] * (30 - len(told))
    rest = ids[len(told) :]
    assert take(player, rest) == rest


def test_what_the_distributor_is_told_is_never_more_than_was_reckoned() -> None:
    """By the largest ids, 10,000 arrays of names that grow."""
    batches = [InstanceBatch(MAX_ID - number, NAME, 2**31, MAX_ID, [MAX_ID - number]) for number in range(800)]
    taken = carried(as_json(InstantiateReply(task_instance_batches=batches)))
    of_batch, of_id = instantiate._BATCH_BYTES, instantiate._ID_BYTES  # noqa: SLF001  # what is reckoned
    assert taken <= of_batch + 800 * (of_batch + of_id + reply.carried_as_json(NAME))


def test_the_largest_version_is_one_that_may_be_added() -> None:
    names = [*LARGEST_VERSION.node_args, *LARGEST_VERSION.task_args, *LARGEST_VERSION.op_args]
    assert len(set(names)) == len(names) == 3 * MAX_ARGUMENTS
    assert size(LARGEST_VERSION.command_template) + sum(map(size, names)) + len(names) == MAX_VERSION_BYTES


@pytest.mark.parametrize("rows", [[TEMPLATE] * 1_000, [LARGEST_VERSION] * 4], ids=["templates", "versions"])
def test_lists_that_measure_fill_a_reply_and_no_more(rows: list[Any]) -> None:
    kept: list[Any] = reply.first_that_fit(iter(rows))
    of: Any = TaskTemplatesReply(task_templates=kept) if rows[0] is TEMPLATE else None
    taken = carried(as_json(of or TaskTemplateVersionsReply(task_template_versions=kept)))
    assert 1 <= len(kept) < len(rows)
    assert taken <= MAX_REPLY_BYTES < taken + reply.carried_as_json([rows[0]]) + 200


class Huge(Reply):
    """A reply."""

    text: str


@endpoint("health")
def huge() -> Huge:
    return Huge(text='"' * 2_000_000)


def test_a_reply_that_a_route_did_not_bound_never_leaves(seen: Seen) -> None:
    event: dict[str, Any] = {"httpMethod": "GET", "path": "/api/v3/health"}
    answer = huge(event, None)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["status"], problem["title"]) == (500, 500, "Internal Server Error")
    assert problem["detail"] == f"the reply takes 8000015 bytes; Lambda carries {MAX_REPLY_BYTES}"
    assert seen.metrics() == {"Failed.ReplyTooLarge": 1}


def test_a_refusal_is_small_whatever_it_names() -> None:
    worst = [FieldError(GROWS * 100_000, GROWS_MOST * 10_000) for _ in range(10_000)]
    answer = reply.of_error(InvalidError(worst))
    assert len(json.loads(answer.body)["errors"]) == MAX_FIELDS
    assert carried(answer.body) < 200_000
    assert len(json.dumps(answer.why)) < 50_000
