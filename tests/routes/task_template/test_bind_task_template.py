"""Find or create a task template."""

import pytest

from tests.conformance.recording import Player
from tests.support.tools import a_template, ask, bind_template, refused


def test_the_same_name_is_the_same_template_of_one_tool_version_alone(player: Player) -> None:
    one, other = a_template(player), a_template(player)
    names = ["alpha", "ALPHA", "alpha ", "", "\u00e4", "x" * 1_000]
    ids = [
        bind_template(player, version, name)
        for version in (one.tool_version_id, other.tool_version_id)
        for name in names
    ]
    assert len(set(ids)) == 2 * len(names)
    assert ids[: len(names)] == [bind_template(player, one.tool_version_id, name) for name in names]
    body = {"tool_version_id": str(one.tool_version_id), "task_template_name": "t"}
    assert ask(player, "POST", "/task_template", body) == {"task_template_id": one.id}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"tool_version_id": 999_999_999}, "tool_version_id"),
        ({"tool_version_id": -1}, "tool_version_id"),
        ({"tool_version_id": None}, "tool_version_id"),
        ({"task_template_name": "x" * 1_001}, "task_template_name"),
        ({"task_template_name": None}, "task_template_name"),
    ],
)
def test_what_does_not_fit_is_named(player: Player, more: dict[str, object], named: str) -> None:
    body = {"tool_version_id": a_template(player).tool_version_id, "task_template_name": "t"}
    assert refused(player, "POST", "/task_template", body | more) == (422, [named])
