"""Tools, task templates and their versions for tests, each with a name of its own, by the calls that bind them."""

import json
from itertools import count
from typing import Any, Final, NamedTuple

from sim import requests
from sim.requests import Request
from tests.conformance.recording import Player
from tests.support import linking

_NUMBERS: Final = count()


class Template(NamedTuple):
    """A task template, and what it belongs to."""

    tool_id: int
    tool_version_id: int
    id: int


def ask(player: Player, method: str, path: str, body: Any = None) -> Any:
    """The reply to a call that must be answered with 200."""
    return linking.ask(player, Request(method, path, body))


def refused(player: Player, method: str, path: str, body: Any = None) -> tuple[int, list[str]]:
    """The status of a call that must be refused, and the fields that the refusal names."""
    status, reply = player.send(method, f"/api/v3{path}", None if body is None else json.dumps(body))
    assert status >= 400, reply
    return status, [error["field"] for error in reply.get("errors", [])]


def a_name() -> str:
    """A name that nothing has yet."""
    return f"tool {next(_NUMBERS)}"


def bind_tool(player: Player, name: str | None = None) -> int:
    """The id of a tool, a new one unless a name is given."""
    return int(linking.ask(player, requests.bind_tool(a_name() if name is None else name))["tool"][0])


def versions_of(player: Player, tool_id: int) -> list[int]:
    """The ids of a tool's versions."""
    listed = linking.ask(player, requests.tool_versions(tool_id))["tool_versions"]
    assert {owner for _, owner in listed} == {tool_id}
    return [version for version, _ in listed]


def bind_template(player: Player, tool_version_id: int, name: str) -> int:
    """The id of a template."""
    body = {"tool_version_id": tool_version_id, "task_template_name": name}
    return int(ask(player, "POST", "/task_template", body)["task_template_id"])


def a_template(player: Player) -> Template:
    """A template of a new tool."""
    tool_id = bind_tool(player)
    [version] = versions_of(player, tool_id)
    return Template(tool_id, version, bind_template(player, version, "t"))


VERSION: Final[dict[str, Any]] = {
    "command_template": "run {n} {x} {v}",
    "arg_mapping_hash": int("7" * 78),
    "node_args": ["n"],
    "task_args": ["x"],
    "op_args": ["v"],
}
"""A version to add."""


def add_version(player: Player, template_id: int, **more: Any) -> list[Any]:
    """A version of a template, as its row."""
    reply = ask(player, "POST", f"/task_template/{template_id}/add_version", VERSION | more)
    return list(reply["task_template_version"])
