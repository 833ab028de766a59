"""Call a Lambda authorizer of type TOKEN as API Gateway does.

Like API Gateway, cache each reply, and apply its policy to every route that the same token calls meanwhile.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

ACCOUNT_ID: Final = "000000000000"
API_ID: Final = "local"
UNAUTHORIZED: Final = "Unauthorized"
"""The message of the exception by which an authorizer makes the gateway answer 401. Any other one leads to a 500."""


class Denied(Exception):  # noqa: N818  # named as the gateway response that it leads to
    """The gateway must answer the caller with the gateway response of this kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class _Answer:
    context: dict[str, str]
    allowed: tuple[re.Pattern[str], ...]
    until: float


class Authorizer:
    """A TOKEN authorizer.

    It calls its handler only if the header matches `expression`, and caches each reply for `keep` seconds.
    """

    def __init__(self, handler: Callable[[dict[str, Any], Any], dict[str, Any]], expression: str, keep: float) -> None:
        self._handler = handler
        self._expression = re.compile(expression)
        self._keep = keep
        self._answers: dict[str, _Answer] = {}

    def context(self, header: str | None, stage: str, method: str, path: str) -> dict[str, str]:
        """Return requestContext.authorizer, which tells the function who calls.

        Raises:
            Denied: the caller must not call the function.
        """
        if not header or not self._expression.fullmatch(header):
            raise Denied("UNAUTHORIZED")
        called = f"arn:aws:execute-api:us-east-1:{ACCOUNT_ID}:{API_ID}/{stage}/{method}{path}"
        answer = self._answers.get(header)
        if not answer or answer.until <= time.monotonic():
            answer = self._answers[header] = self._ask(header, called)
        if not any(pattern.fullmatch(called) for pattern in answer.allowed):
            raise Denied("ACCESS_DENIED")
        return answer.context

    def _ask(self, header: str, called: str) -> _Answer:
        event = {"type": "TOKEN", "authorizationToken": header, "methodArn": called}
        try:
            reply = json.loads(json.dumps(self._handler(event, None)))
        except Exception as error:
            raise Denied("UNAUTHORIZED" if str(error) == UNAUTHORIZED else "AUTHORIZER_FAILURE") from error
        context = {name: str(value) for name, value in reply["context"].items()}
        statements = reply["policyDocument"]["Statement"]
        assert all(statement["Effect"] == "Allow" for statement in statements)
        return _Answer(
            context | {"principalId": reply["principalId"]},
            tuple(_pattern(resource) for statement in statements for resource in statement["Resource"]),
            time.monotonic() + self._keep,
        )


def _pattern(resource: str) -> re.Pattern[str]:
    """Return a pattern for an IAM resource: * matches any text, including slashes, and ? any character."""
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in resource), re.DOTALL)
