"""`make clusters`: load clusters and queues from a YAML file into the system on --port, or into a deployed table.

Exit codes: 0 if the table holds the file's clusters, 1 if the file is refused, 2 if the file or the table cannot be
read or written. A file is loaded whole or not at all.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from local.item_size import item_size
from local.running import NotRunningError, use_running
from lockstep.cluster.item import Clusters
from lockstep.cluster.known import FRESH_SECONDS, forget
from lockstep.context import request
from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import fetch
from lockstep.errors import UnavailableError
from ops.audit.reader import CannotReadError
from ops.clusters.document import Document, FileError, Problem
from ops.clusters.file import ClustersFile, parse
from ops.clusters.merge import Merged, merge
from ops.table import add_options, named

LOADED, REFUSED, UNREACHABLE = 0, 1, 2
MOST_BYTES_STORED: Final = 400_000
"""Of the item that holds all clusters; DynamoDB takes 409,600."""
MOST_PROBLEMS: Final = 20
SECONDS_TO_LOAD: Final = 30.0


def load(document: Document, file: ClustersFile) -> Merged:
    """Add a file's clusters to the table, in one write or none if it has them. Whoever loads meanwhile loses nothing.

    Raises:
        FileError: the file contradicts what the table holds, or both together are too large.
        UnavailableError: the table cannot be read or written. All is loaded or nothing.
    """
    with request(SECONDS_TO_LOAD):
        while (merged := _try_to_load(document, file)) is None:
            pass
    forget()
    return merged


def _try_to_load(document: Document, file: ClustersFile) -> Merged | None:
    """Load a file on top of what the table holds now. Return None if that changed before it was written."""
    raw = fetch([Clusters.key()], consistent=True).get(Clusters.key())
    stored = Clusters.from_raw_data(raw) if raw else Clusters(*Clusters.key(), version=0, clusters=[])
    merged = merge(document, file, list(stored.with_queues()))
    if not merged.new and not merged.changed:
        return merged
    item = Clusters(*Clusters.key(), version=stored.version + 1, clusters=merged.clusters)
    if (taken := item_size(item.serialize())) > MOST_BYTES_STORED:
        message = f"with what the table holds, it takes {taken} bytes; at most {MOST_BYTES_STORED} can be stored"
        raise FileError([Problem(1, "", message)])
    unchanged = Clusters.version == stored.version if raw else Clusters.pk.does_not_exist()
    try:
        reach(lambda: item.save(unchanged))
    except ConditionFailedError:
        return None
    return merged


def main(arguments: list[str] | None = None) -> int:
    """Load a file, say what came of it, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make clusters", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=3000, help="the port of the running system")
    add_options(parser)
    options = parser.parse_args(arguments)
    try:
        document, file = parse(options.file.read_bytes())
        if table := named(options):
            Item.Meta.table_name = table
        else:
            use_running(options.port)
        merged = load(document, file)
    except FileError as error:
        print(f"{options.file} is refused; nothing was loaded.", file=sys.stderr)
        print(_in_lines(error), file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return UNREACHABLE
    except (CannotReadError, NotRunningError) as error:
        print(f"nothing was loaded: {error}", file=sys.stderr)
        return UNREACHABLE
    except UnavailableError as error:
        print(f"load the file again, which does no harm: the table did not answer: {error}", file=sys.stderr)
        return UNREACHABLE
    if merged.new or merged.changed:
        print(f"loaded: {merged.new} clusters and queues are new, {merged.changed} changed.")
        print(f"New ones are found within a second, changes within {FRESH_SECONDS:.0f} s.")
    else:
        print("nothing to do: the table holds all of it")
    return LOADED


def _in_lines(error: FileError) -> str:
    more = len(error.problems) - MOST_PROBLEMS
    return "\n".join([*map(str, error.problems[:MOST_PROBLEMS]), *([f"and {more} more"] if more > 0 else [])])


if __name__ == "__main__":
    sys.exit(main())
