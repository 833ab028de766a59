"""What can go wrong for a caller, and its one mapping to HTTP.

LockstepError
├── BadRequestError      400  the body is no JSON
├── ForbiddenError       403  the caller's token is not for this
├── NotFoundError        404  no such thing
├── ExhaustedError       409  a limit of the id scheme is reached
├── TooLargeError        413  the body is larger than this deployment takes
├── InvalidError         422  the body or the path does not fit
└── UnavailableError     503  try again
    ├── ContentionError       others kept winning until the time was up
    └── TableError            DynamoDB did not answer, or throttled until the time was up

A refused transition is none of these: it is a 200 with the status that stands.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar, Final, NamedTuple

MAX_FIELDS: Final = 20
"""Fields, or ids, that a refusal names at most: a request may have thousands that do not fit."""


class FieldError(NamedTuple):
    """What is wrong with one field of a request."""

    field: str
    message: str


class LockstepError(Exception):
    """Anything that is answered with a problem document (RFC 9457)."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def problem(self) -> dict[str, object]:
        """The body of the reply."""
        return {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": str(self),
        }


class BadRequestError(LockstepError):
    """The body is not JSON."""

    status = HTTPStatus.BAD_REQUEST


class ForbiddenError(LockstepError):
    """The caller's token is for other routes, or for one workflow run and this is not about it. Nothing was changed."""

    status = HTTPStatus.FORBIDDEN


class NotFoundError(LockstepError):
    """What the path names does not exist."""

    status = HTTPStatus.NOT_FOUND


class ExhaustedError(LockstepError):
    """No further id can be given out."""

    status = HTTPStatus.CONFLICT


class TooLargeError(LockstepError):
    """The body is larger than this deployment takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class InvalidError(LockstepError):
    """A field is missing or ill-formed. Nothing was changed."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, fields: Sequence[FieldError]) -> None:
        self.fields = fields[:MAX_FIELDS]
        more = len(fields) - len(self.fields)
        named = "; ".join(f"{name}: {message}" for name, message in self.fields)
        super().__init__(f"{named}; and {more} more" if more else named)

    def problem(self) -> dict[str, object]:
        """The body of the reply, with the fields one by one."""
        return super().problem() | {"errors": [field._asdict() for field in self.fields]}


class UnavailableError(LockstepError):
    """It may work in a moment: send the same request again. No pair was half done; of a bulk request a part may be."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class ContentionError(UnavailableError):
    """Other writers of the same items kept winning until the time budget was spent."""


class TableError(UnavailableError):
    """DynamoDB could not be reached, did not answer in time, or throttled until the time budget was spent."""
