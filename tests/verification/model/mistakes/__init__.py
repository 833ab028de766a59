"""Deliberate mistakes in the rules and in how they are carried out: the walk must find each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from lockstep.fsm import guards
from tests.verification.model.mistakes import attempts, workflows
from tests.verification.model.mistakes.mistake import Mistake

QUICK: Final[dict[str, Mistake]] = attempts.QUICK | workflows.QUICK
"""Found within seconds."""
OTHERS: Final[dict[str, Mistake]] = attempts.OTHERS | workflows.OTHERS


@contextmanager
def made(mistake: Mistake) -> Iterator[None]:
    """Lockstep makes it, until this ends."""
    with pytest.MonkeyPatch.context() as patch:
        guards.decide.cache_clear()
        mistake(patch)
        try:
            yield
        finally:
            guards.decide.cache_clear()
