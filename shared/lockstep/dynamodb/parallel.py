"""Split work into pieces, and do several at the same time."""

import random
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

from lockstep.context import PARALLEL, share_slots
from lockstep.dynamodb.client import connect

R = TypeVar("R")
S = TypeVar("S")


def chunks(things: Iterable[S], size: int) -> Iterator[list[S]]:
    """Split things into lists of `size`, in order; the last may be shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def chunks_of_bytes(
    things: Iterable[S], bytes_of: Callable[[S], int], limit: int, most: int | None = None
) -> Iterator[list[S]]:
    """Split things into lists that take at most `limit` bytes, in order. One that takes more is a list of its own.

    most: the things that a list holds at most.

    >>> list(chunks_of_bytes(["aa", "b", "c", "dddd"], len, 3, most=2))
    [['aa', 'b'], ['c'], ['dddd']]
    """
    chunk: list[S] = []
    taken = 0
    for thing in things:
        takes = bytes_of(thing)
        if chunk and (len(chunk) == most or taken + takes > limit):
            yield chunk
            chunk, taken = [], 0
        chunk.append(thing)
        taken += takes
    if chunk:
        yield chunk


def once(things: Iterable[S], by: Callable[[S], Hashable] = lambda thing: thing) -> Iterator[S]:
    """Yield things in order, each once. A query of an index may return an entry twice that moves meanwhile.

    by: what tells two things apart.

    >>> list(once([3, 1, 3])), list(once(["b1", "a1", "b2"], by=lambda text: text[0]))
    ([3, 1], ['b1', 'a1'])
    """
    yielded: set[Hashable] = set()
    for thing in things:
        key = by(thing)
        if key not in yielded:
            yield thing
        yielded.add(key)


def rotated(things: Iterable[S]) -> list[S]:
    """Return the things in order, beginning at a random one, so that repeated calls begin at different ones."""
    listed = list(things)
    first = random.randrange(len(listed)) if listed else 0  # noqa: S311  # fairness, not a secret
    return listed[first:] + listed[:first]


def run_parallel(work: Callable[[S], R], pieces: Iterable[S]) -> list[R]:
    """Work on each piece and return the results in order: one piece in the calling thread, several in PARALLEL threads.

    Pieces may call run_parallel themselves: reach limits what all threads of a request send. The threads share the
    request's context. If pieces fail, raises the first one's error after all have finished.
    """
    pieces = list(pieces)
    if len(pieces) < 2:  # noqa: PLR2004  # one is not many
        return [work(piece) for piece in pieces]
    connect()
    share_slots()
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(lambda own, piece: own.run(work, piece), [copy_context() for _ in pieces], pieces))
