"""Measure growing workflows alone, without the rest of `make bench`."""

from bench import document
from bench.growth.measuring import SIZES, measure
from bench.growth.tables import section
from bench.row import Section


def report() -> Section:
    """Measure each size, print and write what was found, and return it. A quarter of an hour."""
    found = section([measure(tasks) for tasks in SIZES])
    document.show(found)
    document.DOCUMENT.write_text(document.made_of_growth(found), encoding="utf-8")
    return found


def main() -> None:
    """Measure, print and write."""
    report()


if __name__ == "__main__":
    main()
