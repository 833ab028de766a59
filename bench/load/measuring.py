"""The same loads on Lockstep's local system and on Jobmon's server, by the same code, in one run."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Final

from bench.document import PEERS
from bench.load.beside_loop import measure_loop
from bench.load.facts import facts, rows
from bench.load.herd import measure_herd
from bench.load.jobmon import THREADS, WORKERS, jobmon
from bench.load.lockstep import lockstep
from bench.load.mariadb import mariadb
from bench.load.measured import Measured, together
from bench.load.passing import Name, Sizes, one_pass
from bench.load.peer import NotAvailableError, database_folder
from bench.load.reports import CONFLICTING
from bench.load.server import Server
from bench.row import MARIADB, SQLITE, TWO_WORKERS, Row, Section
from sim.client import UnansweredError

PASSES: Final = 3
"""Passes over each system in turn, so that other work on the machine falls on all of them."""
LOCKSTEP: Final = "Lockstep"
_SAID: Final = f"""\
A *hot life* is log_running, three heartbeats and log_done; every client has a keep-alive connection and goes through
one life after the other. A *round of contention* is {len(CONFLICTING)} clients that report about one running instance
at the same moment: done (twice), failed (twice), out of resources, an unknown error, and two heartbeats; a *winner* is
an outcome of which its reporter was told that it stands, or which stands at the end. Nothing is sent again, whatever
the reply. The numbers are of {PASSES} passes over each system in turn, after a warm-up; the load generator is a process
of its own, on the same machine.

Lockstep is what `make run WORKERS=1` serves: one gateway process with all functions in it, and an embedded engine that
stands in for DynamoDB and keeps its data in memory. The next column has two gateway processes, as `make run` has where
there are two processors. Jobmon is `jobmon_server` 3.2.2 under gunicorn with
{WORKERS} worker processes of {THREADS} threads, so that its Python runs on several processors. SQLite and MariaDB
have their default settings, and their files in memory where /dev/shm has room, so that no disk is waited for; MariaDB
is reached by a socket. For an array lookup the embedded engine looks at all of the up to 100 steps that the index keeps
together, where DynamoDB goes by the key. This says what a request costs on one machine. It says little of production,
where functions run side by side and DynamoDB is no process beside them.
"""


def measure() -> list[Section]:
    """Measure under load, beside a loop of botocore, and a herd."""
    return [measure_load(), measure_loop(), measure_herd()]


def measure_load(sizes: Sizes | None = None) -> Section:
    """Measure Lockstep, and Jobmon's server as far as this machine has it."""
    measured, missing = _measure_all(sizes or Sizes(), PASSES)
    by_system = {name: _facts(those) for name, those in measured.items()}
    peers: dict[str, list[Row] | str] = {name: missing.get(name) or by_system[name] for name in PEERS}
    return Section("Under load", _SAID, rows(by_system[LOCKSTEP], peers))


def _facts(measured: Mapping[Name, list[Measured]]) -> list[Row]:
    return [fact for name, several in measured.items() for fact in facts(str(name), name.kind, together(several))]


def _measure_all(sizes: Sizes, passes: int) -> tuple[dict[str, dict[Name, list[Measured]]], dict[str, str]]:
    """Return the measurements by system, and why a peer is missing."""
    measured: dict[str, dict[Name, list[Measured]]] = {}
    with ExitStack() as running:
        servers, missing = _start(running)
        for _ in range(passes):
            for name, server in list(servers.items()):
                try:
                    for load, result in one_pass(server, sizes):
                        measured.setdefault(name, {}).setdefault(load, []).append(result)
                except UnansweredError as error:
                    if name == LOCKSTEP:
                        raise
                    del servers[name]
                    missing[name] = f"not available: {error}"
    return measured, missing


def _start(running: ExitStack) -> tuple[dict[str, Server], dict[str, str]]:
    """Start the systems, which run until the stack is left. Returns them, and why a peer does not run."""
    servers, missing = {LOCKSTEP: running.enter_context(lockstep())}, {}
    peers: dict[str, AbstractContextManager[Server]] = {
        TWO_WORKERS: lockstep(workers=2),
        SQLITE: _on_sqlite(),
        MARIADB: _on_mariadb(),
    }
    for name, peer in peers.items():
        try:
            servers[name] = running.enter_context(peer)
        except NotAvailableError as error:
            missing[name] = f"not available: {error}"
    return servers, missing


@contextmanager
def _on_sqlite() -> Iterator[Server]:
    with database_folder() as folder, jobmon(f"sqlite:///{folder / 'jobmon.db'}", None, folder) as server:
        yield server


@contextmanager
def _on_mariadb() -> Iterator[Server]:
    with database_folder() as folder, mariadb(folder) as database, jobmon(database.uri, database.pid, folder) as server:
        yield server
