"""The folder of `make run DATA=…`: what the embedded engine keeps, and the key that signs tokens."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local import kept

LOCK, ITEMS = "lock", "items.sqlite3"
"""The names of its files."""
SECONDS_TO_END: Final = 5.0
"""How long to wait for a process that has the folder: an engine ends a moment after the process that started it."""


class FolderError(Exception):
    """The folder cannot be used; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that this process has for itself, with the processes that get its lock."""

    path: Path
    lock: int
    """The file descriptor of the lock. The folder is free once every process that has it has ended."""

    @property
    def items(self) -> Path:
        """The file with the items."""
        return self.path / ITEMS

    def signing_key(self) -> str:
        """Return the key that signs tokens. The first call makes it."""
        file = self.path / "signing-key"
        if not file.exists():
            partial = file.with_suffix(".partial")
            partial.write_text(secrets.token_urlsafe(48), encoding="utf-8")
            partial.chmod(0o600)
            partial.rename(file)
        return file.read_text(encoding="utf-8").strip()


@contextmanager
def claimed(path: Path) -> Iterator[Folder]:
    """Make the folder if it is missing, and have it for this process until the block ends.

    Raises:
        FolderError: another process has it, or it is no folder that can be used, or holds what is not ours.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {each.name for each in path.iterdir()}
        if names and names.isdisjoint({LOCK, ITEMS}):
            raise FolderError(f"DATA={path} holds other files: give an empty folder, or one that is not there yet")
        lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise FolderError(f"DATA={path} cannot be used: {error.strerror}") from error
    try:
        _wait_for(lock, path)
        folder = Folder(path, lock)
        _check(folder)
        yield folder
    finally:
        os.close(lock)


def _wait_for(lock: int, path: Path) -> None:
    give_up = time.monotonic() + SECONDS_TO_END
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > give_up:
                raise FolderError(f"another process uses DATA={path}; stop that one, or give another") from error
            time.sleep(0.05)
        else:
            return


def _check(folder: Folder) -> None:
    try:
        kept.connect(folder.items).close()
    except kept.KeptError as error:
        raise FolderError(str(error)) from error
