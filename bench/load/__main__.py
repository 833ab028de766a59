"""`python -m bench.load`: what both systems do under load, as Markdown."""

import sys

from bench.document import show
from bench.load.measuring import measure
from sim.ending import exit_code


def main() -> bool:
    """Measure and print."""
    for section in measure():
        show(section)
    return True


if __name__ == "__main__":
    sys.exit(exit_code(main))
