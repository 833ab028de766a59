"""Read YAML as plain data, and know the line of each value.

YAML has several ways to write what nobody meant: `no` is false, 010 is 8, 12:30 is 750, a repeated key replaces the
first one, and an alias may stand for gigabytes. All of them are refused here, by line.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import yaml

MOST_BYTES: Final = 1_000_000
MOST_LEVELS: Final = 20
MOST_CHARACTERS_NAMED: Final = 100
Place = tuple[int | str, ...]
"""The keys and positions that lead to a value."""

_TAG: Final = "tag:yaml.org,2002:"
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]+([eE][-+][0-9]{1,3})?)?")
_NUMBER_ELSEWHERE: Final = re.compile(r"[-+]?\.?[0-9][0-9_]*\.?[0-9]*([eE][-+]?[0-9]+)?")
"""Text that a person or another reader of YAML may take for a number."""


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Problem(NamedTuple):
    """A defect of a file."""

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """One line."""
        return f"line {self.line}: {self.field}: {self.message}" if self.field else f"line {self.line}: {self.message}"


class FileError(Exception):
    """A file that cannot be loaded, with all that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Document(NamedTuple):
    """A file's data, and where each of its values stands."""

    data: Any
    root: yaml.Node

    def line(self, place: Place) -> int:
        """The line of the value at a place; of the nearest value around it, if there is none."""
        node, line = self.root, _line(self.root)
        for part in place:
            found = _inside(node, part)
            if found is None:
                break
            key, node = found
            line = _line(key)
        return line

    def problem(self, place: Place, message: str) -> Problem:
        """Make a problem of the value at a place."""
        return Problem(self.line(place), ".".join(map(shown, place)), message)


def shown(part: int | str) -> str:
    r"""A part of a place, or a name, as a terminal may show it.

    >>> print(shown("slurm"), shown(chr(27) + "[2J"))
    slurm '\x1b[2J'
    """
    text = str(part)
    return text if text.isprintable() and len(text) <= MOST_CHARACTERS_NAMED else ascii(text[:MOST_CHARACTERS_NAMED])


def read_document(raw: bytes) -> Document:
    """Parse a file.

    Raises:
        FileError: it is not UTF-8, not YAML, or too large, or it holds what could be meant otherwise.
    """
    if len(raw) > MOST_BYTES:
        raise FileError([Problem(1, "", f"the file takes {len(raw)} bytes; at most {MOST_BYTES} are read")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError([Problem(raw.count(b"\n", 0, error.start) + 1, "", "it is not UTF-8")]) from error
    try:
        root = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ": ".join(filter(None, (error.context, error.problem)))
        raise FileError([Problem(mark.line + 1 if mark else 1, "", message)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"it holds {text[error.position]!a}: write it so, in double quotes"
        raise FileError([Problem(line, "", message)]) from error
    if root is None:
        raise FileError([Problem(1, "", "it is empty")])
    return Document(_plain(root), root)


class _Loader(yaml.SafeLoader):
    """A parser that refuses aliases and deep nesting before it follows them."""

    _level = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose the next node and what is in it."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML left it untyped
        at = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias (*) is not read: write the value out", problem_mark=at)
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            raise yaml.MarkedYAMLError(problem="a tag (!) is not read: leave it out", problem_mark=at)
        if self._level == MOST_LEVELS:
            raise yaml.MarkedYAMLError(problem=f"it is nested more than {MOST_LEVELS} deep", problem_mark=at)
        self._level += 1
        node = super().compose_node(parent, index)
        self._level -= 1
        return node


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = _plain(key)
            if not isinstance(name, str):
                raise _refusal(key, "a key must be text: quote it")
            if name in found:
                raise _refusal(key, f"the key {shown(name)} stands here for the second time")
            found[name] = _plain(value)
        return found
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    kind = node.tag.removeprefix(_TAG)
    quoted = getattr(node, "style", None) is not None
    if half := _SURROGATE.search(text):
        raise _refusal(node, f"it holds {half[0]!a}, which is no character: write it as \\U and eight digits")
    if kind == "str" and (quoted or not _NUMBER_ELSEWHERE.fullmatch(text)):
        return text
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if kind in {"int", "float"} and _DECIMAL.fullmatch(text):
        number = int(text) if kind == "int" else float(text)
        if math.isfinite(number):
            return number
    wanted = "write true or false" if kind == "bool" else "write a number in decimal digits"
    raise _refusal(node, f"{shown(text)} may be read in several ways: quote it, or {wanted}")


def _refusal(node: yaml.Node, message: str) -> FileError:
    return FileError([Problem(_line(node), "", message)])


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _inside(node: yaml.Node, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return a part of a node and the place where it begins."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
