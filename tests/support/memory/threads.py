"""What stands in for the layer's threads, so that calls come in an order that repeats."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


@contextmanager
def threads_are(pool: Callable[[int], Any]) -> Iterator[None]:
    """Wherever the layer makes a pool of threads, it makes one of these."""
    with (
        patch("lockstep.dynamodb.parallel.ThreadPoolExecutor", pool),
        patch("lockstep.task_instance.claim.ThreadPoolExecutor", pool),
    ):
        yield


def finish(future: Future[Any], work: Callable[[], Any]) -> None:
    """Do the work now. Whoever asks for the result gets it, or what was raised, as from a thread."""
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  # as above
        future.set_exception(error)
