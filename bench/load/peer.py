"""The environment of Jobmon's server, and a folder for its database."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.template import ROOT

PEER: Final = ROOT / ".peer"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of a random name is made in it
_BYTES_NEEDED: Final = 2**30


class NotAvailableError(Exception):
    """The peer is missing on this machine; the message says why in one line."""


@contextmanager
def database_folder() -> Iterator[Path]:
    """Make a folder until the block ends; in memory, if that is large enough, so that no disk is measured."""
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _BYTES_NEEDED
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_MEMORY if in_memory else None) as folder:
        yield Path(folder)
