"""Run the demo. The exit code is 0 only if every task ended as it must. Everything that it starts ends with it."""

import argparse

from local.demo.show import show
from local.start import end_with


def main() -> int:
    """Run the demo, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", choices=["0", "1"], default="0", help="1: serve on until Ctrl-C")
    return 0 if show(keep=parser.parse_args().keep == "1") else 1


if __name__ == "__main__":
    end_with(main)
