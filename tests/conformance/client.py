"""The recorded requests of Jobmon 3.6's whole client, and one of them played on Lockstep (README.md)."""

import json
import re
from ast import literal_eval
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from string import digits
from typing import Any, Final

from lockstep.routes import ROUTES
from lockstep.task.resources import forget
from tests.conformance.files import read
from tests.conformance.recording import Player, substitute
from tests.support.memory.boundary import Memory
from tests.support.memory.operations import Table

Request = dict[str, Any]
Case = dict[str, Any]

SYMBOL: Final = re.compile(r"(\$[A-Z]+\d+)(:str)?")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")


def read_cases() -> list[Case]:
    """The recorded requests whose route and preparation Lockstep serves."""
    return [case for case in read("client_matrix") if all(map(route_of, [*_chain(case["setup"]), *_asked(case)]))]


def read_all() -> list[Case]:
    """All recorded requests."""
    return read("client_matrix")


def route_of(request: Request) -> str | None:
    """The name of the route that serves a recorded request; None if there is none."""
    path = SYMBOL.sub("1", request["path"])
    found = (route.name for route in ROUTES if route.method == request["method"] and route.pattern.fullmatch(path))
    return next(found, None)


def _asked(case: Case) -> list[Request]:
    return [*case.get("pre", ()), case["request"]]


@cache
def _setups() -> dict[str, dict[str, Any]]:
    return {each["setup"]: each for each in read("client_setups")}


def _chain(setup: str | None) -> list[Request]:
    if setup is None:
        return []
    return [*_chain(_setups()[setup]["parent"]), *_setups()[setup]["requests"]]


@dataclass
class Names:
    """Which ids the symbols of a recording stand for here: each is bound where it first appears in a reply."""

    ids: dict[str, int] = field(default_factory=dict)

    def shared(self) -> set[str]:
        """The kinds of which several symbols are one id here."""
        kinds = Counter((symbol.rstrip(digits), each) for symbol, each in self.ids.items())
        return {kind for (kind, _), number in kinds.items() if number > 1}

    def differs(self, recorded: Any, got: Any, where: str = "reply") -> str | None:
        """Where a reply differs from what was recorded; None if it does not. It binds the symbols that are new."""
        if isinstance(recorded, dict):
            return self._object_differs(recorded, got, where)
        if isinstance(recorded, tuple):
            return self._row_differs(recorded, got, where)
        if isinstance(recorded, list):
            return self._list_differs(recorded, got, where)
        if isinstance(recorded, str) and isinstance(got, str | int) and self._fits(recorded, got):
            return None
        return None if (recorded, type(recorded)) == (got, type(got)) else f"{where} is {got!r}, not {recorded!r}"

    def _fits(self, recorded: str, got: str | int) -> bool:
        if recorded == "$TIME_MS":
            return isinstance(got, int)
        symbol = SYMBOL.fullmatch(recorded)
        if symbol:
            expected = str if symbol[2] else int
            return isinstance(got, expected) and int(got) == self.ids.setdefault(symbol[1], int(got))
        return isinstance(got, str) and self._text_fits(recorded, got)

    def _text_fits(self, recorded: str, got: str) -> bool:
        parts = re.split(r"(\$TIME|\$[A-Z]+\d+)", recorded)
        pattern = "".join(TIME.pattern if part == "$TIME" else self._in_text(part) for part in parts)
        found = re.fullmatch(pattern, got, re.DOTALL)
        self.ids |= {f"${name}": int(value) for name, value in (found.groupdict() if found else {}).items()}
        return found is not None

    def _in_text(self, part: str) -> str:
        if not SYMBOL.fullmatch(part):
            return re.escape(part)
        return str(self.ids[part]) if part in self.ids else rf"(?P<{part[1:]}>\d+)"

    def _row_differs(self, recorded: tuple[Any, ...], got: Any, where: str) -> str | None:
        """The elements of a row have an order."""
        if not isinstance(got, list) or len(got) != len(recorded):
            return f"{where} is {got!r}, not {recorded!r}"
        elements = enumerate(zip(recorded, got, strict=True))
        return next(filter(None, (self.differs(*pair, f"{where}.{at}") for at, pair in elements)), None)

    def _list_differs(self, recorded: list[Any], got: Any, where: str) -> str | None:
        """Lists compare as sets: the database chose the order."""
        if not isinstance(got, list) or len(got) != len(recorded):
            return f"{where} is {got!r}, not {recorded!r}"
        left = list(got)
        for item in recorded:
            at = next((at for at, each in enumerate(left) if self._would_fit(item, each)), None)
            if at is None:
                return f"{where} is {got!r}, without {item!r}"
            self.differs(item, left.pop(at))
        return None

    def _would_fit(self, recorded: Any, got: Any) -> bool:
        return Names(dict(self.ids)).differs(recorded, got) is None

    def _entry_would_fit(self, key: str, value: Any, got_key: str, got: Any) -> bool:
        trial = Names(dict(self.ids))
        return trial._text_fits(key, got_key) and trial.differs(value, got) is None

    def _same_text(self, recorded: dict[str, Any], got: Any) -> bool:
        """Whether a text is the long one that was recorded, or holds the same Python literal, however it is spelled."""
        if "$repeat" in recorded:
            return bool(got == substitute(recorded, self.ids))
        try:
            return bool(literal_eval(got) == literal_eval(recorded["$literal"]))
        except (SyntaxError, TypeError, ValueError):
            return False  # got holds no literal

    def _object_differs(self, recorded: dict[str, Any], got: Any, where: str) -> str | None:
        match recorded:
            case {"$json": inside}:
                return self.differs(inside, json.loads(got), where)
            case {"$literal": _} | {"$repeat": _}:
                return None if self._same_text(recorded, got) else f"{where} is another text"
        if not isinstance(got, dict):
            return f"{where} is {got!r}, not {recorded!r}"
        left = dict(got)
        for key, value in recorded.items():
            known = substitute(key, self.ids)
            likely = [known] if known in left else left
            found = next((each for each in likely if self._entry_would_fit(key, value, each, left[each])), None)
            if found is None:
                return f"{where} is {got!r}, without {key}: {value!r}"
            self._text_fits(key, found)
            self.differs(value, left.pop(found))
        return f"{where} has {left!r} beside what was recorded" if left else None


@dataclass
class ClientPlayer:
    """Plays recorded requests on the functions themselves, each on the table that its preparation leaves."""

    memory: Memory
    player: Player
    prepared: dict[str | None, tuple[Table, Names]] = field(default_factory=lambda: {None: (Table(), Names())})

    def prepare(self, setup: str | None) -> Names:
        """Let the table be as a chain of recorded requests leaves it, and return the names that they gave."""
        if setup not in self.prepared:
            names = self.prepare(_setups()[setup or ""]["parent"])
            for request in _setups()[setup or ""]["requests"]:
                assert self.differs(request, names) is None
            self.prepared[setup] = self.memory.table, Names(dict(names.ids))
        self.memory.table, names = self.prepared[setup]
        forget()
        return Names(dict(names.ids))

    def send(self, request: Request, names: Names) -> tuple[int, Any]:
        """The status and body that a recorded request is answered."""
        body = request.get("raw_body")
        if body is None and request.get("body") is not None:
            body = json.dumps(substitute(request["body"], names.ids))
        query: dict[str, list[str]] = {}
        for name, value in request.get("query", ()):
            query.setdefault(name, []).append(str(substitute(value, names.ids)))
        return self.player.send(request["method"], substitute(request["path"], names.ids), body, **query)

    def differs(self, request: Request, names: Names) -> str | None:
        """Where a recorded request is answered otherwise than it was."""
        status, reply = self.send(request, names)
        if status != request["status"]:
            return f"{request['path']}: status {status}, not {request['status']}: {reply}"
        return names.differs(request.get("response"), reply, request["path"]) if status < 400 else None
