"""The contracts of the routes in functions/page."""

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, Usage

SHOW_PAGE = Contract(
    scope=Scope.READER,
    usage=Usage(0, 0, 0),
    reads="nothing: always the same document",
    largest=60_000,
    unknown=None,
)
