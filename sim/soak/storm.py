"""When the engine is stopped or frozen, and the gateway killed."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

from local.soak.system import System
from local.soak.tally import Tally

FROZEN_SECONDS: Final = (8.0, 12.0)
"""Longer than a function tries, so that all requests fail."""
DOWN_SECONDS: Final = (0.5, 3.0)
GATEWAY, STOP, FREEZE = "gateway kills", "engine stops", "engine freezes"


class Storm:
    """One thing at a time. The first three are one of each kind."""

    def __init__(self, system: System, tally: Tally, rng: random.Random, gap: tuple[float, float]) -> None:
        self._system, self._tally, self._rng, self._gap = system, tally, rng, gap
        self.had_each = asyncio.Event()
        """Each kind has happened, and is over."""
        self._kinds: dict[str, tuple[Callable[[], None], Callable[[], None], tuple[float, float]]] = {
            GATEWAY: (system.kill_gateway, system.start_gateway, DOWN_SECONDS),
            STOP: (system.stop_engine, system.start_engine, DOWN_SECONDS),
            FREEZE: (system.freeze_engine, system.thaw_engine, FROZEN_SECONDS),
        }

    async def rage(self, over: asyncio.Event) -> None:
        """Until it is over. What was taken down is up again then."""
        first = [*self._kinds]
        self._rng.shuffle(first)
        while True:
            try:
                async with asyncio.timeout(self._rng.uniform(*self._gap)):
                    await over.wait()
            except TimeoutError:
                await self._once(first.pop() if first else self._rng.choice([*self._kinds]))
                if not first:
                    self.had_each.set()
            else:
                return

    async def _once(self, kind: str) -> None:
        down, up, seconds = self._kinds[kind]
        self._tally.count(kind)
        await asyncio.to_thread(down)
        await asyncio.sleep(self._rng.uniform(*seconds))
        await asyncio.to_thread(up)
