"""Read the templates of a tool version, and the versions of a template: as many as a reply carries."""

from collections.abc import Iterable, Iterator
from heapq import nlargest
from itertools import islice
from typing import Final

from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.dynamodb.reads import query
from lockstep.errors import NotFoundError
from lockstep.http.reply import first_that_fit
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.task_template.views import TemplateRow, VersionRow, version_row
from lockstep.tool.item import ToolVersion

MOST_TEMPLATES: Final = 10_000
"""The templates of a tool version that are listed at most: the first by name."""
MOST_VERSIONS: Final = 1_000
"""The versions of a template that are listed at most: the newest."""
READ_BYTES: Final = 8_000_000
"""The bytes of versions after which no further page of them is read: nine pages of 1 MB."""
VERSION_BYTES: Final = 300
"""The bytes of a version beside its command and its arguments, about."""


def read_templates(tool_version_id: int) -> list[TemplateRow]:
    """Read a tool version's templates, in the order of their ids: one consistent query, of 11 pages at most.

    Raises:
        NotFoundError: the tool version does not exist.
    """
    found = _below(ToolVersion.key(tool_version_id), f"tool version {tool_version_id}")
    lookups = map(TemplateLookup.from_raw_data, islice(found, MOST_TEMPLATES))
    rows = (TemplateRow(lookup.id, tool_version_id, lookup.name) for lookup in lookups)
    return sorted(first_that_fit(rows))


def read_versions(task_template_id: int) -> list[VersionRow]:
    """Read a template's newest versions, in the order of their ids: one consistent query, of 9 pages at most.

    Versions lie in the order of their digests, so the newest of what was read are shown.

    Raises:
        NotFoundError: the template does not exist.
    """
    found = _below(TaskTemplate.key(task_template_id), f"task template {task_template_id}")
    newest = nlargest(MOST_VERSIONS, _until_enough_is_read(found), key=lambda raw: int(raw["id"]["N"]))
    rows = (version_row(task_template_id, TemplateVersion.from_raw_data(raw)) for raw in newest)
    return first_that_fit(rows)[::-1]


def _below(parent: Key, what: str) -> Iterator[RawItem]:
    """Yield the items of a partition that begins with their parent.

    Raises:
        NotFoundError: the parent does not exist.
    """
    first = next(found := query(parent.pk, Item.sk >= parent.sk, consistent=True), None)
    if first is None or first["sk"]["S"] != parent.sk:
        raise NotFoundError(f"{what} does not exist")
    return found


def _until_enough_is_read(versions: Iterable[RawItem]) -> Iterator[RawItem]:
    taken = 0
    for raw in versions:
        if taken > READ_BYTES:
            return
        names = (name for kind in ("node_args", "task_args", "op_args") for name in raw[kind]["L"])
        taken += VERSION_BYTES + sum(len(text["S"].encode()) for text in (raw["command_template"], *names))
        yield raw
