"""`python -m bench.load`: what both systems do under load, as Markdown."""

import signal

from bench.document import show
from bench.load.measuring import measure


def main() -> None:
    """Measure and print; ended early, all that was started ends too."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for section in measure():
        show(section)


if __name__ == "__main__":
    main()
