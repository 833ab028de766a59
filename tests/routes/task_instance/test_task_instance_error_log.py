"""List an instance's error entries."""

import json
import tracemalloc
from typing import Any

import pytest

from functions.task_instance.task_instance_error_log.app import ErrorLogReply
from lockstep.context import request
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import fetch
from lockstep.http.reply import MAX_REPLY_BYTES, as_json, carried
from lockstep.task_instance import read, views
from lockstep.task_instance.item import ErrorText, instance_keys
from lockstep.text import digest
from tests.conformance.recording import Player
from tests.support.answers import listening
from tests.support.seeding import running


def entries(player: Player, instance: int) -> list[list[Any]]:
    status, reply = player.send("GET", f"/api/v3/task_instance/{instance}/task_instance_error_log")
    assert status == 200, reply
    rows: list[list[Any]] = reply["task_instance_error_log"]
    return rows


def report(player: Player, instance: int, words: str) -> None:
    body = json.dumps({"error_state": "E", "error_description": words})
    assert player.send("POST", f"/api/v3/task_instance/{instance}/log_error_worker_node", body) == (
        200,
        {"status": "E"},
    )


@pytest.mark.parametrize("character", ['"', "\\", "\x00", "\u00e9", "\U0001f600", "\ud800"])
def test_entries_that_grow_when_they_are_escaped_are_cut_to_their_share(
    player: Player, character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply is JSON, and Lambda writes it as a text of JSON once more: each quote takes four bytes.

    A tenth of the limit, and of what fills it, shows the same.
    """
    monkeypatch.setattr(views, "MAX_REPLY_BYTES", MAX_REPLY_BYTES // 10)
    instance = running(errors=[f"{number:02d} " + character * 39_000 for number in range(12)])
    rows = entries(player, instance)
    assert [row[2][:4] for row in rows] == [f"{number:02d} {character}" for number in range(12)]
    assert all("characters left out" in row[2] for row in rows)
    taken = carried(as_json(ErrorLogReply.model_validate({"task_instance_error_log": rows})))
    assert 0.8 * MAX_REPLY_BYTES < 10 * taken <= MAX_REPLY_BYTES


def test_a_short_entry_beside_long_ones_is_whole(player: Player) -> None:
    instance = running(errors=["short", *(f"{number} " + '"' * 390_000 for number in range(5))])
    assert entries(player, instance)[0][2] == "short"


def test_of_many_long_texts_the_newest_are_read(player: Player) -> None:
    """An instance may have any number of them; a function has 512 MB and 6 s."""
    instance = running(errors=[f"{number} " + "\x00" * 398_000 for number in range(40)])
    asked: list[Any] = []
    tracemalloc.start()
    with listening("after-call.dynamodb.BatchGetItem", lambda parsed, **_: asked.append(parsed)):
        rows = entries(player, instance)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000_000
    assert [len(page["Responses"][Item.Meta.table_name]) for page in asked] == [20]
    assert all(row[2] == "[... 398002 bytes left out ...]" for row in rows[:10])
    assert [row[2][:4] for row in rows[20:]] == [f"{number} \x00" for number in range(20, 40)]


def test_of_many_entries_the_newest_are_shown(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_ERRORS", 3)
    instance = running(errors=[f"error {number}" for number in range(5)])
    first, *rows = entries(player, instance)
    assert (first[0], first[2]) == (0, "[... 2 older entries left out ...]")
    assert [row[2] for row in rows] == ["error 2", "error 3", "error 4"]


def test_as_many_entries_as_are_shown_are_all_of_them(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_ERRORS", 3)
    instance = running(errors=["a", "b", "c"])
    assert [row[2] for row in entries(player, instance)] == ["a", "b", "c"]


def test_the_pages_of_entries_are_bounded(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "LISTED_BYTES", 1_500_000)
    instance = running(errors=[f"{number} " + "x" * 3_900 for number in range(1_000)])
    pages: list[Any] = []
    with listening("after-call.dynamodb.Query", lambda parsed, **_: pages.append(parsed)):
        first, *rows = entries(player, instance)
    assert len(pages) == 2
    assert (first[0], first[2]) == (0, "[... more than 0 entries left out ...]")
    assert 350 < len(rows) < 450


def test_a_text_is_an_item_of_its_own_from_a_size_on(player: Player) -> None:
    instance = running()
    for words in ("a" * 4_000, "b" * 4_001, "b" * 4_001):
        report(player, instance, words)
    assert [row[2] for row in entries(player, instance)] == ["a" * 4_000, "b" * 4_001]
    key = instance_keys([instance])[0]
    apart = [ErrorText.key(key, digest(words)) for words in ("a" * 4_000, "b" * 4_001)]
    with request():
        assert fetch(apart, consistent=True).keys() == {apart[1]}


def test_an_entry_whose_text_has_expired_first_says_what_it_lacks(player: Player) -> None:
    """DynamoDB deletes expired items in no order."""
    instance = running(errors=["b" * 5_000])
    with request():
        reach(ErrorText(*ErrorText.key(instance_keys([instance])[0], digest("b" * 5_000))).delete)
    assert [row[2] for row in entries(player, instance)] == ["[... 5000 bytes left out ...]"]
