"""Say one line per check: what holds, and what does not with what was expected and seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.verify.api import Reply


class StopError(Exception):
    """The rest of a part builds on a check that does not hold."""


class Checks:
    """The checks made so far."""

    def __init__(self) -> None:
        self.held = 0
        self.failed: list[str] = []
        """The sentences that do not hold."""

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """Print a heading; a StopError inside ends this part only."""
        say(f"\n{title}")
        try:
            yield
        except StopError:
            say("skip the rest of this part builds on that")

    def equal(self, sentence: str, seen: Any, expected: Any) -> bool:
        """Print a sentence and whether it holds, and return that."""
        if seen == expected and type(seen) is type(expected):
            self.held += 1
            say(f"ok   {sentence}")
            return True
        self.failed.append(sentence)
        say(f"FAIL {sentence}")
        say(f"     expected: {expected}")
        say(f"     seen:     {seen}")
        return False

    def require(self, sentence: str, seen: Any, expected: Any) -> None:
        """Check as `equal` does, where the rest of the part depends on the sentence.

        Raises:
            StopError: the sentence does not hold.
        """
        if not self.equal(sentence, seen, expected):
            raise StopError

    def id(self, sentence: str, reply: Reply, *path: str | int) -> int:
        """The id that a reply gives.

        Raises:
            StopError: it gives none.
        """
        seen = reply.value(*path)
        given = isinstance(seen, int) and not isinstance(seen, bool) and seen > 0
        self.require(sentence, "an id" if given else seen, "an id")
        return int(seen)

    def status(self, sentence: str, reply: Reply, expected: int) -> bool:
        """Whether a reply has an HTTP status."""
        return self.equal(sentence, expected if reply.status == expected else str(reply), expected)

    def problem(self, sentence: str, reply: Reply, expected: int) -> bool:
        """Whether a reply is a problem document (RFC 9457) in application/json with an HTTP status."""
        body = reply.body if isinstance(reply.body, dict) else {}
        stated = body.get("status") == expected and isinstance(body.get("detail"), str)
        good = reply.status == expected and stated and reply.media_type.startswith("application/json")
        wanted = f"{expected} with a problem document"
        return self.equal(sentence, wanted if good else str(reply), wanted)


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
