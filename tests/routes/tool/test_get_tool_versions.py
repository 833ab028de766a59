"""List a tool's versions."""

import pytest

from functions.tool.get_tool_versions.app import ToolVersionsReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.tool import read
from lockstep.tool.read import MOST_VERSIONS
from tests.conformance.recording import Player
from tests.support.contract import Contract, System, Usage, check
from tests.support.tools import ask, bind_tool, versions_of

CONTRACT = Contract(
    name="get_tool_versions",
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="10,000 entries (1 MB)",
    largest=ToolVersionsReply(tool_versions=[(MAX_ID, MAX_ID)] * MOST_VERSIONS),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)


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
