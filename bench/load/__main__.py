"""`python -m bench.load`: what both systems do under load, as Markdown."""

import os

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # read when lockstep is imported

from bench.document import show
from bench.load.measuring import measure
from local.start import end_with


def main() -> None:
    """Measure and print."""
    for section in measure():
        show(section)


if __name__ == "__main__":
    end_with(main)
