"""`make bench`: measure everything, print each section when it is ready, and write docs/performance.md.

The last line names the missed targets.
"""

import os
from collections.abc import Iterator

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")  # read when lockstep is imported

from bench import artifact, document, functions, units
from bench.callgrind import CannotCountError
from bench.growth.__main__ import report
from bench.load.measuring import measure
from bench.row import Row, Section
from bench.setting import Bench, setting
from local.engine import dynamodb
from local.run import table_name


def sections() -> Iterator[Section]:
    """Measure and yield one section after the other."""
    yield artifact.artifact()
    with dynamodb(table_name()) as endpoint, setting(endpoint) as bench:
        yield units.routes(bench.recorder.taken)
        yield units.lives()
        yield from _counted(bench)
    yield from measure()


def _counted(bench: Bench) -> Iterator[Section]:
    try:
        counts = functions.Counts(bench)
        yield functions.cold(counts)
        yield functions.warm(counts)
        yield functions.waterfall(bench)
        yield functions.levers(bench, counts)
    except CannotCountError as error:
        yield Section("Instructions", "", [Row("cold, warm, waterfall, levers", f"not measured: {error}", met=False)])


def main() -> None:
    """Print every section, write the document and name the missed targets."""
    found = []
    for section in sections():
        document.show(section)
        found.append(section)
    document.DOCUMENT.write_text(document.made(found), encoding="utf-8")
    found.append(report())
    missed = [row.what for section in found for row in section.rows if row.met is False]
    print(f"\nwrote {document.DOCUMENT.name}; targets missed: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
