"""A section of the benchmark as Markdown."""

from bench.row import MARIADB, SQLITE, Row, Section


def print_section(section: Section) -> None:
    """Its title, what is said of it and its table."""
    peers = [peer for peer in (SQLITE, MARIADB) if any(peer in row.peers for row in section.rows)]
    header = ["what", "target", "Lockstep", *peers]
    print(f"## {section.title}\n\n{section.said.strip()}\n")
    for cells in [
        header,
        ["---"] * len(header),
        *([*_ours(row), *(row.peers[peer] for peer in peers)] for row in section.rows),
    ]:
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def _ours(row: Row) -> list[str]:
    missed = " (missed)" if row.met is False else ""
    return [row.what, row.target, row.result + missed]
