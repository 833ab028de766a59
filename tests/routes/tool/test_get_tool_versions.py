"""List a tool's versions."""

import pytest

from lockstep.tool import read
from tests.conformance.recording import Player
from tests.support.tools import ask, bind_tool, versions_of


def test_the_latest_is_the_last(player: Player) -> None:
    tool_id = bind_tool(player)
    made = [ask(player, "POST", "/tool_version", {"tool_id": tool_id})["tool_version"][0] for _ in range(3)]
    listed = versions_of(player, tool_id)
    assert listed == sorted(listed)
    assert listed[1:] == made


def test_of_many_versions_the_newest_are_listed(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    tool_id = bind_tool(player)
    made = [ask(player, "POST", "/tool_version", {"tool_id": tool_id})["tool_version"][0] for _ in range(3)]
    monkeypatch.setattr(read, "MOST_VERSIONS", 2)
    assert versions_of(player, tool_id) == made[1:]
