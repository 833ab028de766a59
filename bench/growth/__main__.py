"""Measure growing workflows alone, without the rest of `make bench`."""

from bench.growth.report import report


def main() -> None:
    """Measure, print and write."""
    report()


if __name__ == "__main__":
    main()
