"""Make another version of a tool. The latest is listed last."""

import pytest

from lockstep.tool import read
from tests.conformance.recording import Player
from tests.support.tools import a_template, ask, bind_tool, refused, versions_of


def test_each_call_makes_a_version(player: Player) -> None:
    tool_id = bind_tool(player)
    first = versions_of(player, tool_id)
    made = [ask(player, "POST", "/tool_version", {"tool_id": sent})["tool_version"] for sent in (tool_id, str(tool_id))]
    assert [owner for _, owner in made] == [tool_id] * 2
    assert versions_of(player, tool_id) == [*first, *(version for version, _ in made)]


def test_of_many_versions_the_newest_are_listed(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    tool_id = bind_tool(player)
    made = [ask(player, "POST", "/tool_version", {"tool_id": tool_id})["tool_version"][0] for _ in range(3)]
    monkeypatch.setattr(read, "MOST_VERSIONS", 2)
    assert versions_of(player, tool_id) == made[1:]


def test_a_new_version_has_no_templates(player: Player) -> None:
    template = a_template(player)
    [version, _] = ask(player, "POST", "/tool_version", {"tool_id": template.tool_id})["tool_version"]
    assert ask(player, "GET", f"/tool_version/{version}/task_templates") == {"task_templates": []}


@pytest.mark.parametrize("tool_id", [0, -1, 2**53, 1.5, None, "x", 999_999_999, "999999999"])
def test_a_tool_that_is_not_there_is_named(player: Player, tool_id: object) -> None:
    assert refused(player, "POST", "/tool_version", {"tool_id": tool_id}) == (422, ["tool_id"])
