"""The arguments of tasks: kept for people, packed, because no program of Jobmon's reads them."""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from lockstep.clock import expiry, now
from lockstep.dynamodb.parallel import chunks_of_bytes
from lockstep.dynamodb.puts import put_repeatable
from lockstep.http.fields import ArgumentValue, Id
from lockstep.task.bound_item import ArgumentChunk
from lockstep.text import digest

TASKS_PER_CHUNK: Final = 500
BYTES_PER_ITEM: Final = 350_000
"""The bytes of arguments as JSON, before compression."""


class TaskArgument(NamedTuple):
    """An argument of a task as Jobmon's client sends it: positional."""

    task_id: Id
    arg_id: Id
    value: ArgumentValue


def keep_arguments(arguments: Iterable[TaskArgument]) -> None:
    """Keep arguments for good. The same ones again are kept once.

    Raises:
        UnavailableError: some may be kept; the same call again keeps the rest.
    """
    by_chunk: dict[int, list[TaskArgument]] = defaultdict(list)
    for argument in sorted(set(arguments)):
        by_chunk[argument.task_id // TASKS_PER_CHUNK].append(argument)
    packed = [
        _packed(number, some)
        for number, each in by_chunk.items()
        for some in chunks_of_bytes(each, lambda argument: len(json.dumps(argument)), BYTES_PER_ITEM)
    ]
    put_repeatable(packed)


def _packed(number: int, arguments: list[TaskArgument]) -> ArgumentChunk:
    content = json.dumps(arguments, separators=(",", ":"))
    packed = zlib.compress(content.encode(), level=1)
    return ArgumentChunk(*ArgumentChunk.key(number, digest(content)), packed=packed, expires_at=expiry(now()))
