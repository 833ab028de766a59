"""Find or create a tool."""

from typing import Any

import pytest

from tests.conformance.recording import Player
from tests.support.tools import a_name, ask, bind_tool, refused, versions_of


def test_the_same_name_is_the_same_tool_with_one_version(player: Player) -> None:
    name = a_name()
    tool_id = bind_tool(player, name)
    assert ask(player, "POST", "/tool", {"name": name}) == {"tool": [tool_id, name]}
    assert len(versions_of(player, tool_id)) == 1


ALIKE = [
    *("lab-tool", "LAB-TOOL", "l\u00e4b-tool", "la\u0308b-tool", "lab-tool ", " lab-tool"),
    *("", "\U0001f600", "\x00", "#"),
]


def test_names_are_compared_to_the_letter(player: Player) -> None:
    ids = {name: bind_tool(player, name) for name in ALIKE}
    assert len(set(ids.values())) == len(ALIKE)
    assert ids == {name: bind_tool(player, name) for name in ALIKE}


@pytest.mark.parametrize(("name", "found"), [("x" * 1_000, None), ("\u00e9" * 500, None), (7, "7"), (1.5, "1.5")])
def test_what_is_a_name(player: Player, name: Any, found: str | None) -> None:
    assert ask(player, "POST", "/tool", {"name": name})["tool"][1] == (found or name)


@pytest.mark.parametrize("name", ["x" * 1_001, "\u00e9" * 501, True])
def test_what_is_no_name(player: Player, name: Any) -> None:
    assert refused(player, "POST", "/tool", {"name": name}) == (422, ["name"])
