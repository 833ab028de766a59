"""Measure growing workflows, and write their part of docs/performance.md. A quarter of an hour."""

from bench import document
from bench.growth.measuring import SIZES, measure
from bench.growth.tables import section


def main() -> None:
    """Measure each size, print and write what was found."""
    found = section([measure(tasks) for tasks in SIZES])
    document.show(found)
    document.DOCUMENT.write_text(document.made_of_growth(found), encoding="utf-8")


if __name__ == "__main__":
    main()
