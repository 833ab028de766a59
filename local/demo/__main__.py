"""Run the demo. The exit code is 0 only if every task ended as it must. Everything that it starts ends with it."""

import sys

from sim.ending import exit_code


def show() -> bool:
    """Run the demo, and return whether every task ended as it must."""
    from local.demo import show  # noqa: PLC0415  # the import takes a moment, and Ctrl-C must already work

    return show.show()


if __name__ == "__main__":
    sys.exit(exit_code(show))
