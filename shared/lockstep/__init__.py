"""Lockstep: a task instance and its task move together, in one transaction, or neither moves."""

import gc
import logging
from typing import Final

_USUAL: Final = gc.get_threshold()
gc.set_threshold(50_000, 20, 100)


def imported() -> None:
    """All modules are there: from here on garbage is looked for as usual, and not among them.

    While they are imported there is none to be found, and a cold start is mostly imports.
    """
    gc.freeze()
    gc.set_threshold(*_USUAL)


for _library in ("botocore", "pynamodb", "urllib3"):
    # Lambda gives the root logger a level of its own. At DEBUG they write whole bodies, and keys with them.
    logging.getLogger(_library).setLevel(logging.WARNING)
