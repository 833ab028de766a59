"""`make scale`: measures the steps, simulates days and herds, and writes docs/scale.md and its picture.

PYTHONPATH=.:shared .venv/bin/python -m bench.scale
"""

import os

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # read when lockstep is imported

from bench.scale import costs, document, picture, record, tables


def main() -> None:
    """All of it; about a minute."""
    print("measuring each step on an embedded engine, a minute or so ...", flush=True)
    costs.save(record.record())
    for name in ("days", "day_room", "herds", "herd_room", "shared"):
        print(f"\n## {name}\n", *tables.TABLES[name](), sep="\n")
    document.DOCUMENT.write_text(document.made())
    picture.draw(document.PICTURE)
    print(f"\nwrote {document.DOCUMENT.name} and {document.PICTURE.name} in docs/")


if __name__ == "__main__":
    main()
