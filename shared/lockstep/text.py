"""Texts from callers: escape them for the table, measure them, and cut them with a marker if they are too long."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

_ESCAPE: Final = "\x10"
"""DATA LINK ESCAPE: introduces four hexadecimal digits of a character that UTF-8 cannot carry."""
_TO_ESCAPE: Final = re.compile(f"[{_ESCAPE}\ud800-\udfff]")
_MOST_BYTES: Final = 5
"""The most bytes of one character: an escaped one."""
_ESCAPED: Final = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")


def escape(text: str) -> str:
    r"""Escape lone surrogates, which UTF-8, and so DynamoDB, cannot hold. unescape undoes it.

    >>> escape("caf\u00e9")
    'café'
    >>> escape(chr(0xD800))
    '\x10d800'
    """
    return _TO_ESCAPE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """Return the text that escape was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def size(text: str) -> int:
    """Return how many bytes the text takes in the table."""
    return len(escape(text).encode())


def fits(text: str, limit: int) -> bool:
    """Return whether the text takes at most limit bytes in the table. A short text is not encoded for this."""
    return len(text) <= limit // _MOST_BYTES or size(text) <= limit


def beginning(text: str, limit: int) -> str:
    """Return the first characters of the text, as many as take at most limit bytes.

    >>> beginning("naïve", 3)
    'na'
    """
    return _fitting(text[:limit], limit, size)


def cut(text: str, limit: int, bytes_of: Callable[[str], int] = size) -> str:
    """Return the text if it takes at most limit bytes; otherwise its beginning and end, with a marker between them.

    The marker says how many characters were left out, by this cut and by an earlier one. No character is split. Where
    the limit has no room for a marker, only the text's beginning is left.

    bytes_of: the bytes that a text takes: at least one a character, and more for a longer text.
    """
    if fits(text, limit) if bytes_of is size else bytes_of(text) <= limit:
        return text
    room = (limit - bytes_of(_marker(_MOST_LEFT_OUT + len(text)))) // 2
    if room <= 0:
        return _fitting(text[:limit], limit, bytes_of)
    head = _fitting(text[:room], room, bytes_of)
    tail = _fitting(text[-room:][::-1], room, bytes_of)[::-1]
    middle = text[len(head) : len(text) - len(tail)]
    return head + _marker(len(middle) + _left_out_of(middle)) + tail


def was_cut(text: str, limit: int) -> bool:
    """Return whether the text may be a result of cut that lacks characters.

    >>> was_cut(cut("a" * 1000, 100), 100), was_cut("a" * 100, 100)
    (True, False)
    """
    return limit - len(_marker(0)) - 2 * _MOST_BYTES < size(text) <= limit and bool(_MARKER.search(text))


_MARKER: Final = re.compile(r"\n\[\.\.\. (\d{1,9}) characters left out \.\.\.\]\n")
_MOST_LEFT_OUT: Final = 10**9


def _marker(left_out: int) -> str:
    return f"\n[... {left_out} characters left out ...]\n"


def _left_out_of(text: str) -> int:
    """Return how many characters more than its own an earlier cut left out, whose marker the text holds."""
    marker = _MARKER.search(text)
    return int(marker[1]) - len(marker[0]) if marker else 0


def _fitting(text: str, room: int, bytes_of: Callable[[str], int]) -> str:
    """Return the longest beginning of the text that takes at most room bytes."""
    fitting = bisect_right(range(len(text) + 1), room, key=lambda length: bytes_of(text[:length]))
    return text[: max(0, fitting - 1)]


def tail(text: str, characters: int) -> str:
    """Return the text's end, at most `characters` long, with a marker in front if something was left out."""
    if len(text) <= characters:
        return text
    room = characters - len(_marker(len(text)))
    if room <= 0:
        return text[len(text) - characters :]
    return _marker(len(text) - room) + text[-room:]


def digest(text: str) -> str:
    """Return 52 bits of the text's SHA-256 as 13 hexadecimal digits.

    >>> digest("boom")
    '81f52337ebb4c'
    """
    return hashlib.sha256(escape(text).encode()).hexdigest()[:13]
