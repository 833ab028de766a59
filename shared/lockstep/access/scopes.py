"""The scopes of tokens. lockstep.routes says which routes each scope opens."""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """A token's scope. From worker to operator each includes the one before it; a reader moves and ends nothing."""

    READER = "reader"
    WORKER = "worker"
    DISTRIBUTOR = "distributor"
    OPERATOR = "operator"

    def includes(self, other: "Scope") -> bool:
        """Whether this scope may do all that another one may.

        >>> Scope.OPERATOR.includes(Scope.WORKER), Scope.WORKER.includes(Scope.READER)
        (True, False)
        """
        return other in _INCLUDES[self]


_INCLUDES = {
    Scope.READER: {Scope.READER},
    Scope.WORKER: {Scope.WORKER},
    Scope.DISTRIBUTOR: {Scope.WORKER, Scope.DISTRIBUTOR},
    Scope.OPERATOR: set(Scope),
}

MAX_DAYS: Final = {
    Scope.READER: 90,
    Scope.WORKER: 400,
    Scope.DISTRIBUTOR: 400,
    Scope.OPERATOR: 90,
}
"""Days that a token of a scope may be good for: docs/decisions/0026-lifetimes.md."""
