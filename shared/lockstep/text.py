"""Text that a caller sent: kept to the letter where it fits, cut with a marker where it does not."""

import hashlib
import re
from bisect import bisect_right
from typing import Final

_ESCAPE: Final = "\x10"
"""DATA LINK ESCAPE: introduces four hexadecimal digits of a character that UTF-8 cannot carry."""
_TO_ESCAPE: Final = re.compile(f"[{_ESCAPE}\ud800-\udfff]")
_MOST_BYTES: Final = 5
"""The most bytes of one character: an escaped one."""
_ESCAPED: Final = re.compile(f"{_ESCAPE}([0-9a-f]{{4}})")


def escape(text: str) -> str:
    r"""The text without lone surrogates, which UTF-8 and so DynamoDB cannot hold. Undone by unescape.

    >>> escape("caf\u00e9")
    'café'
    >>> escape(chr(0xD800))
    '\x10d800'
    """
    return _TO_ESCAPE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """What escape was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def size(text: str) -> int:
    """Bytes that the text takes in the table."""
    return len(escape(text).encode())


def fits(text: str, limit: int) -> bool:
    """Whether the text takes at most limit bytes in the table. What is short is not counted."""
    return len(text) <= limit // _MOST_BYTES or size(text) <= limit


def cut(text: str, limit: int) -> str:
    """The text if it takes at most limit bytes; otherwise its beginning and its end with a marker between.

    The marker says how many characters were left out. No character is split. limit is at least 100.
    """
    if fits(text, limit):
        return text
    room = (limit - len(_marker(len(text)))) // 2
    head = _fitting(text[:room], room)
    tail = _fitting(text[-room:][::-1], room)[::-1]
    return head + _marker(len(text) - len(head) - len(tail)) + tail


def was_cut(text: str, limit: int) -> bool:
    """Whether the text may be what cut left of a longer one.

    >>> was_cut(cut("a" * 1000, 100), 100), was_cut("a" * 100, 100)
    (True, False)
    """
    return limit - len(_marker(0)) - 2 * _MOST_BYTES < size(text) <= limit and bool(_MARKER.search(text))


_MARKER: Final = re.compile(r"\n\[\.\.\. \d+ characters left out \.\.\.\]\n")


def _marker(left_out: int) -> str:
    return f"\n[... {left_out} characters left out ...]\n"


def _fitting(text: str, room: int) -> str:
    longest = bisect_right(range(len(text) + 1), room, key=lambda length: size(text[:length])) - 1
    return text[:longest]


def tail(text: str, characters: int) -> str:
    """The text's end, at most so many characters, with a marker in front where something was left out."""
    if len(text) <= characters:
        return text
    room = characters - len(_marker(len(text)))
    return _marker(len(text) - room) + text[-room:]


def digest(text: str) -> str:
    """52 bits of SHA-256 of the text, as 13 hexadecimal digits: the same words, the same digest.

    >>> digest("boom")
    '81f52337ebb4c'
    """
    return hashlib.sha256(escape(text).encode()).hexdigest()[:13]
