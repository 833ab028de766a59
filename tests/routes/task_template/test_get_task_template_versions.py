"""List a task template's versions."""

import pytest

from lockstep.http import reply
from lockstep.task_template import read
from tests.conformance.recording import Player
from tests.support.tools import a_template, add_version, ask


def listed(player: Player, template_id: int) -> list[list[object]]:
    return list(ask(player, "GET", f"/task_template/{template_id}/versions")["task_template_versions"])


def test_each_version_in_the_order_of_their_ids(player: Player) -> None:
    template, other = a_template(player), a_template(player)
    add_version(player, other.id)
    rows = [add_version(player, template.id, command_template=command) for command in "cab"]
    assert listed(player, template.id) == rows
    assert rows == sorted(rows, key=lambda row: row[0])


def test_of_many_versions_the_newest_are_listed(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    template = a_template(player)
    rows = [add_version(player, template.id, command_template=command) for command in "cabd"]
    monkeypatch.setattr(read, "MOST_VERSIONS", 2)
    assert listed(player, template.id) == rows[2:]
    assert add_version(player, template.id, command_template="c") == rows[0]


def test_no_more_are_listed_than_a_reply_carries(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    template = a_template(player)
    rows = [add_version(player, template.id, command_template=command * 1_000) for command in "cab"]
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 3_000)
    assert listed(player, template.id) == rows[1:]


def test_no_more_are_read_than_needed(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions that are not read are not listed."""
    template = a_template(player)
    rows = [add_version(player, template.id, command_template=command * 1_000) for command in "cabd"]
    monkeypatch.setattr(read, "READ_BYTES", 2_000)
    found = listed(player, template.id)
    assert len(found) == 2
    assert [row for row in rows if row in found] == found
