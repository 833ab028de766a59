"""Lockstep: a task instance and its task move together, in one transaction, or neither moves."""

import gc
import logging

gc.set_threshold(50_000, 20, 100)

for _library in ("botocore", "pynamodb", "urllib3"):
    # Lambda gives the root logger a level of its own. At DEBUG they write whole bodies, and keys with them.
    logging.getLogger(_library).setLevel(logging.WARNING)
