"""Kill engine and gateway, and freeze the engine, at random moments."""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from sim.system import System
from sim.tally import Tally

FROZEN_SECONDS: Final = (8.0, 12.0)
"""Longer than a function tries, so that all requests fail."""
DOWN_SECONDS: Final = (0.5, 3.0)
KINDS: Final = ("gateway kills", "engine kills", "engine freezes")


class Storm:
    """One fault at a time. The first three are one of each kind."""

    def __init__(self, system: System, tally: Tally, rng: random.Random, gap: tuple[float, float]) -> None:
        self._tally, self._rng, self._gap = tally, rng, gap
        self.had_each = threading.Event()
        """Each kind has happened, and is over."""
        ways: list[tuple[Callable[[], None], Callable[[], None], tuple[float, float]]] = [
            (system.kill_gateway, system.start_gateway, DOWN_SECONDS),
            (system.kill_engine, system.start_engine, DOWN_SECONDS),
            (system.freeze_engine, system.thaw_engine, FROZEN_SECONDS),
        ]
        self._kinds = dict(zip(KINDS, ways, strict=True))

    def rage(self, over: threading.Event) -> None:
        """Go on until it is over. What was taken down is up again then."""
        first = [*KINDS]
        self._rng.shuffle(first)
        try:
            while not over.wait(self._rng.uniform(*self._gap)):
                self._once(first.pop() if first else self._rng.choice(KINDS))
                if not first:
                    self.had_each.set()
        finally:
            self.had_each.set()

    def _once(self, kind: str) -> None:
        down, up, seconds = self._kinds[kind]
        self._tally.count(kind)
        down()
        time.sleep(self._rng.uniform(*seconds))
        up()
