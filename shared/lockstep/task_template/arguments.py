"""The names of a template version's arguments, and their ids."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lockstep.http.fields import Name
from lockstep.text import escape

MAX_ARGUMENTS: Final = 1_000
"""The arguments of one kind that a template version has at most."""
_HEX_DIGITS: Final = 12


def _check_distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise PydanticCustomError("twice", "must name no argument more than once")
    return names


Arguments = Annotated[
    list[Name],
    AfterValidator(_check_distinct),
    Field(max_length=MAX_ARGUMENTS, json_schema_extra={"uniqueItems": True}),
]
"""The names of a version's arguments of one kind: node, task or op arguments."""


def arg_id(name: str) -> int:
    """Return an argument's id: 48 bits of a digest of its name, and 1.

    It must never change: the hashes by which clients find their nodes and tasks again are made of it.

    >>> arg_id("location_id"), arg_id("Location_id")
    (213384684379183, 5995662512391)
    """
    return int(hashlib.sha256(escape(name).encode()).hexdigest()[:_HEX_DIGITS], base=16) + 1


def ids_by_name(names: Iterable[str]) -> dict[str, int]:
    """Return the id of each argument, by its name.

    >>> ids_by_name(["a", "b"])
    {'a': 222752054364700, 'b': 68323938533434}
    """
    return {name: arg_id(name) for name in names}
