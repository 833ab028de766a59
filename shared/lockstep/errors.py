"""The errors that a caller can get, and their HTTP status codes.

LockstepError
├── BadRequestError      400  the body is not JSON
├── ForbiddenError       403  the caller's token does not allow the request
├── NotFoundError        404  an object that the path names does not exist
├── TooLargeError        413  the body is too large
├── ReplyTooLargeError   500  the reply is larger than Lambda carries
├── InvalidError         422  a field of the body, path or query is invalid
└── UnavailableError     503  send the request again
    ├── ContentionError       other writers changed the same items until the deadline
    └── TableError            DynamoDB did not answer, or throttled until the deadline

A refused transition is not an error: its reply is a 200 with the current status.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, Final, NamedTuple

from lockstep.text import cut

MAX_FIELDS: Final = 20
"""Fields that a refusal names at most: a request may have thousands that do not fit."""
MAX_WORDS: Final = 1_000
"""Bytes, as JSON, of a field's name, of what is wrong with it, and of why a request fails otherwise."""


class FieldError(NamedTuple):
    """An invalid field of a request, and why it is invalid."""

    field: str
    message: str


class LockstepError(Exception):
    """An error whose reply is a problem document (RFC 9457)."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def problem(self) -> dict[str, object]:
        """Return the body of the reply."""
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": str(self),
        }


def _cut(words: str) -> str:
    return cut(words, MAX_WORDS, _bytes_as_json)


def _bytes_as_json(words: str) -> int:
    return len(json.dumps(words))


class BadRequestError(LockstepError):
    """The body is not JSON."""

    status = HTTPStatus.BAD_REQUEST


class ForbiddenError(LockstepError):
    """The caller's token does not allow this route, or not this workflow run. Nothing was changed."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(LockstepError):
    """An object that the path names does not exist."""

    status = HTTPStatus.NOT_FOUND


class TooLargeError(LockstepError):
    """The body is larger than this deployment accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ReplyTooLargeError(LockstepError):
    """The reply is larger than Lambda carries, which is a defect. What was asked may have been done."""


class InvalidError(LockstepError):
    """A field is missing or invalid. Nothing was changed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, fields: Sequence[FieldError]) -> None:
        self.fields = [FieldError(_cut(name), _cut(message)) for name, message in fields[:MAX_FIELDS]]
        more = len(fields) - len(self.fields)
        named = "; ".join(f"{name}: {message}" for name, message in self.fields)
        super().__init__(f"{named}; and {more} more" if more else named)

    def problem(self) -> dict[str, object]:
        """Return the body of the reply, with the invalid fields under `errors`."""
        return super().problem() | {"errors": [field._asdict() for field in self.fields]}


class UnavailableError(LockstepError):
    """Lockstep could not finish now; send the same request again. Of a bulk request, some pairs may be done already."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class ContentionError(UnavailableError):
    """Other writers kept changing the same items until the request's deadline."""


class TableError(UnavailableError):
    """DynamoDB could not be reached, did not answer in time, or throttled until the request's deadline."""
