"""The demo's process: it ends with 0 only if every task ended as it must, and nothing that it starts outlives it."""

import sys

from sim.ending import exit_code


def show() -> bool:
    """Return whether every task ended as it must."""
    from local.demo import show  # noqa: PLC0415  # it takes a moment, in which Ctrl-C is to work already

    return show.show()


if __name__ == "__main__":
    sys.exit(exit_code(show))
