"""`python -m bench.load`: what both systems do under load, as Markdown."""

import signal

from bench.load.measuring import measure
from bench.load.table import print_section


def main() -> None:
    """Measure and print; ended early, all that was started ends too."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for section in measure():
        print_section(section)


if __name__ == "__main__":
    main()
