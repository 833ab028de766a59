"""Find or create a version of a task template."""

from typing import Any

import pytest

from lockstep.task_template import arguments, bind
from lockstep.task_template.arguments import arg_id
from tests.conformance.recording import Player
from tests.support.tools import VERSION, a_template, add_version, ask, refused


def test_the_same_command_and_hash_are_the_same_version(player: Player) -> None:
    template = a_template(player)
    row = add_version(player, template.id)
    assert row[1:5] == ["run {n} {x} {v}", ["n"], ["x"], ["v"]]
    assert row[5:] == [{name: arg_id(name) for name in "nxv"}, template.id]
    as_text = str(VERSION["arg_mapping_hash"])
    assert add_version(player, template.id, arg_mapping_hash=as_text) == row
    assert add_version(player, template.id, command_template="\t run {n} {x} {v} \n") == row
    assert add_version(player, template.id, node_args=["n", "m"], op_args=[]) == row


def test_another_command_or_hash_or_template_is_another_version(player: Player) -> None:
    one, other = a_template(player), a_template(player)
    largest = VERSION["arg_mapping_hash"]
    rows = [
        add_version(player, one.id),
        add_version(player, one.id, command_template="RUN {n} {x} {v}"),
        add_version(player, one.id, arg_mapping_hash=largest + 1),
        add_version(player, one.id, arg_mapping_hash=0),
        add_version(player, one.id, arg_mapping_hash="0" + str(largest)),
        add_version(player, other.id),
    ]
    assert len({row[0] for row in rows}) == len(rows)
    assert {str(row[5]) for row in rows} == {str(rows[0][5])}, "an argument has one id everywhere"


def test_an_argument_of_two_kinds_has_one_id(player: Player) -> None:
    row = add_version(player, a_template(player).id, task_args=["n"])
    assert row[2:6] == [["n"], ["n"], ["v"], {"n": arg_id("n"), "v": arg_id("v")}]


def test_arguments_keep_their_order_and_every_letter(player: Player) -> None:
    names = ["z", "a", "A", "a ", "", "na\u00efve", "\U0001f600", "\ud800", "\x00"]
    template = a_template(player)
    row = add_version(player, template.id, node_args=names)
    assert row[2] == names
    assert row[5].keys() == {*names, "x", "v"}
    assert len(set(row[5].values())) == len(row[5])
    assert add_version(player, template.id) == row


HALF = "x" * 200_000
MANY = [f"{number:04d}" + "n" * 996 for number in range(95)]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"node_args": ["a", "b", "a"]}, "node_args"),
        ({"op_args": [1, "1"]}, "op_args"),
        ({"task_args": ["x" * 1_001]}, "task_args.0"),
        ({"task_args": [str(number) for number in range(1_001)]}, "task_args"),
        ({"node_args": "n"}, "node_args"),
        ({"command_template": "x" * 300_001}, "command_template"),
        ({"command_template": "x" * 300_000, "op_args": MANY}, "command_template"),
        ({"command_template": HALF, "node_args": MANY, "op_args": [*MANY, "a" * 1_000]}, "command_template"),
        ({"arg_mapping_hash": "1" * 151}, "arg_mapping_hash"),
    ],
    ids=lambda given: repr(given)[:40],
)
def test_what_does_not_fit_is_named_and_nothing_is_stored(player: Player, more: dict[str, Any], named: str) -> None:
    template = a_template(player)
    path = f"/task_template/{template.id}"
    assert refused(player, "POST", f"{path}/add_version", VERSION | more) == (422, [named])
    assert ask(player, "GET", f"{path}/versions") == {"task_template_versions": []}


def test_the_largest_version_is_stored(player: Player) -> None:
    template = a_template(player)
    largest = {"command_template": "\u00e9" * 150_000, "node_args": MANY[:45], "task_args": MANY[:44], "op_args": []}
    left = bind.MAX_VERSION_BYTES - 300_000 - 89 * 1_001
    row = add_version(player, template.id, **largest | {"op_args": ["o" * (left - 1)]})
    assert len(row[1].encode()) == 300_000
    one_more = VERSION | largest | {"op_args": ["o" * left]}
    refusal = refused(player, "POST", f"/task_template/{template.id}/add_version", one_more)
    assert refusal == (422, ["command_template"])


def test_two_arguments_with_one_id_are_refused(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a digest of 48 bits that is one of 0 bits here."""
    template = a_template(player)
    monkeypatch.setattr(arguments, "_HEX_DIGITS", 1)
    alike = [name for name in map(str, range(99)) if arg_id(name) == arg_id("0")][:2]
    more = {"node_args": alike[:1], "task_args": [], "op_args": alike[1:]}
    path = f"/task_template/{template.id}/add_version"
    assert refused(player, "POST", path, VERSION | more) == (422, ["op_args"])
    assert add_version(player, template.id, **more | {"op_args": alike[:1]})[5] == {"0": arg_id("0")}
