"""List the task templates of a tool version."""

from typing import Any

import pytest

from lockstep.http import reply
from lockstep.task_template import read
from tests.conformance.recording import Player
from tests.support.tools import a_template, ask, bind_template


def test_each_template_of_the_version_and_no_other(player: Player) -> None:
    template, _ = a_template(player), a_template(player)
    named = {name: bind_template(player, template.tool_version_id, name) for name in ("z", "", "A", "\ud800", "t ")}
    rows = listed(player, template.tool_version_id)
    assert rows == sorted(rows)
    assert {(number, name) for number, _, name in rows} == {
        (template.id, "t"),
        *((n, name) for name, n in named.items()),
    }


def test_of_many_templates_the_first_by_name_are_listed(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    template = a_template(player)
    named = {name: bind_template(player, template.tool_version_id, name) for name in ("c", "b", "a")}
    monkeypatch.setattr(read, "MOST_TEMPLATES", 2)
    assert [name for *_, name in listed(player, template.tool_version_id)] == ["b", "a"]
    assert bind_template(player, template.tool_version_id, "c") == named["c"]


def test_no_more_are_listed_than_a_reply_carries(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    template = a_template(player)
    for name in "abc":
        bind_template(player, template.tool_version_id, name * 1_000)
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 2_500)
    assert [name[0] for *_, name in listed(player, template.tool_version_id)] == ["a", "b"]


def listed(player: Player, tool_version_id: int) -> list[list[Any]]:
    rows = ask(player, "GET", f"/tool_version/{tool_version_id}/task_templates")["task_templates"]
    assert {row[1] for row in rows} == {tool_version_id}
    return list(rows)
