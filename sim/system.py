"""The system under test: an engine and a gateway in processes of their own. One way to start, stop and kill them.

An embedded engine that keeps its items (`kept`) has them again after it was killed. It forgets the tokens of
transactions, which DynamoDB remembers for ten minutes. To play a DynamoDB that does not answer for a while, its process
is stopped (SIGSTOP).
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from local import engine
from local.folder import Folder, claimed
from local.run import table_name
from local.template import ROOT
from local.workers import usual
from sim.requests import Request

MODULES: Final = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "shared")))}
"""The environment of our own programs."""
PREFIX: Final = "/api/v3"
QUIET: Final = {"POWERTOOLS_LOG_LEVEL": "ERROR"}
"""Settings of functions that log errors only."""
USAGE: Final = Request("GET", "/_local/usage")
"""Asks what the system has counted since it started; not below the prefix."""


class System:
    """One that serves at its url; a part that was stopped comes back at the same port.

    named is the endpoint of a DynamoDB that is used instead of an embedded engine, kept is where the engine keeps its
    items. settings are the gateway's; it logs to standard error, or to a file of the folder.
    """

    def __init__(
        self,
        folder: Path,
        named: str | None,
        settings: Mapping[str, str],
        kept: Folder | None = None,
        *,
        logs_to_file: bool,
        workers: int,
    ) -> None:
        self._folder, self._settings, self._kept, self._logs_to_file = folder, settings, kept, logs_to_file
        self._workers = workers
        self._engine_port, self._gateway_port = engine.free_port(), engine.free_port()
        self.endpoint = named or engine.endpoint_at(self._engine_port)
        self.url = f"http://127.0.0.1:{self._gateway_port}"
        self.api = self.url + PREFIX
        self.engine: subprocess.Popen[bytes] | None = None
        try:
            if not named:
                engine.use_embedded(self.endpoint)
                self.start_engine()
                engine.create_table(self.endpoint, table_name())
            self.gateway = self._serve()
        except BaseException:
            self._end_engine()
            raise

    def kill_engine(self) -> None:
        """Kill it. It must be one that keeps its items."""
        assert self.engine
        assert self._kept
        self.engine.kill()
        self._end_engine()

    def start_engine(self) -> None:
        """Start it, with what it kept."""
        self.engine = engine.start(self._engine_port, self._kept, table_name())

    def freeze_engine(self) -> None:
        """Let it answer nobody, and hear everybody."""
        assert self.engine
        self.engine.send_signal(signal.SIGSTOP)

    def thaw_engine(self) -> None:
        """Let it go on with what it has heard."""
        assert self.engine
        self.engine.send_signal(signal.SIGCONT)

    def kill_gateway(self) -> None:
        """Kill it, with every function that runs in it."""
        os.killpg(self.gateway.pid, signal.SIGKILL)
        self._end_gateway()

    def start_gateway(self) -> None:
        """Start it at its port."""
        self.gateway = self._serve()

    def end(self) -> None:
        """End everything, for good."""
        if self.engine:
            self.thaw_engine()
        self._end_gateway()
        self._end_engine()

    def _serve(self) -> subprocess.Popen[str]:
        log = self._folder / "gateway.log"
        with log.open("a", encoding="utf-8") as file:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "local", "local.api_main"),
                    *("--port", str(self._gateway_port), "--workers", str(self._workers)),
                ],
                cwd=ROOT,
                env={**os.environ, **MODULES, **self._settings},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file if self._logs_to_file else None,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        assert process.stdout
        with _ended_on_error(process), process.stdout:
            if not process.stdout.readline():
                raise engine.EngineError(f"the gateway ended at once: {last_line(log)}")
        return process

    def _end_gateway(self) -> None:
        assert self.gateway.stdin
        self.gateway.stdin.close()
        self.gateway.wait()

    def _end_engine(self) -> None:
        if self.engine:
            engine.end(self.engine)


@contextmanager
def _ended_on_error(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        process.kill()
        process.wait()
        raise


@contextmanager
def system(
    settings: Mapping[str, str],
    *,
    named: bool = False,
    kept: bool = False,
    logs_to_file: bool = False,
    workers: int = usual(),
) -> Iterator[System]:
    """Run a system with an empty table until the block ends. Should this process be killed, it ends by itself.

    settings: the functions' environment variables.
    named: use the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names, where it is set.
    kept: let the embedded engine keep its items, so that it can be killed and started again.
    workers: the processes that serve.

    Raises:
        EngineError: it does not start.
    """
    with _same_environment_afterwards(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        is_named = named and os.environ.get(engine.ENDPOINT_VARIABLE)
        endpoint = stack.enter_context(engine.dynamodb(table_name())) if is_named else None
        data = stack.enter_context(claimed(folder / "data")) if kept else None
        running = System(folder, endpoint, settings, data, logs_to_file=logs_to_file, workers=workers)
        stack.callback(running.end)
        yield running


@contextmanager
def _same_environment_afterwards() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def last_line(file: Path) -> str:
    """Return the last line that a program has logged."""
    lines = file.read_text(errors="replace", encoding="utf-8").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
