"""`make scale`: measures the steps, simulates days and herds, and writes docs/scale.md and its picture."""

import os

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # read when lockstep is imported

from bench.scale import costs, life, picture, tables


def main() -> None:
    """Do all of it, in about a minute."""
    print("measuring each step on an embedded engine, a minute or so ...", flush=True)
    costs.save(life.record())
    for name in ("days", "day_room", "herds", "herd_room", "shared"):
        print(f"\n## {name}\n", *tables.TABLES[name](), sep="\n")
    tables.DOCUMENT.write_text(tables.document(), encoding="utf-8")
    picture.draw(picture.FILE)
    print(f"\nwrote {tables.DOCUMENT.name} and {picture.FILE.name} in docs/")


if __name__ == "__main__":
    main()
