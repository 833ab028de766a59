"""Processes that share the work of a program which local/start.py started."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from local.start import held_back


@contextmanager
def pool(processes: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """Processes that work for the block. processes: their number; one for each core, if it is None.

    No signal comes while they start, so that each is known to what ends them. On Ctrl-C they are not waited for.
    """
    with held_back():
        executor = ProcessPoolExecutor(processes)
        executor.submit(bool)  # the first work starts them all
    yield executor
    executor.shutdown()
