"""The system that is soaked: an engine and a gateway in processes of their own, which die and come back.

The embedded engine keeps its table over a stop: it writes it to a file when it is told to end (SIGTERM), and reads it
when it starts. It forgets the tokens of transactions, which DynamoDB remembers for ten minutes. Killed it would lose
everything, so what DynamoDB may do at worst, not answer for a while, is had by stopping its process (SIGSTOP).
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from local import engine
from local.run import table_name
from local.template import ROOT

HEARTBEAT_BUFFER_SECONDS: Final = 6.0
"""Of the functions: what falls silent is found within the soak."""


class System:
    """One that answers at url until it is killed; what comes back comes back at the same ports."""

    def __init__(self, state: str) -> None:
        self._engine_port, self._gateway_port = engine.free_port(), engine.free_port()
        self._settings = {"PERSIST_STATE": "1", "STATE_DIR": state}
        self.endpoint = engine.endpoint_at(self._engine_port)
        self.url = f"http://127.0.0.1:{self._gateway_port}"
        engine.use_embedded(self.endpoint)
        self._engine = engine.start(self._engine_port, **self._settings)
        try:
            engine.create_table(self.endpoint, table_name())
            self._gateway = self._serve()
        except BaseException:
            engine.end(self._engine)
            raise

    def _serve(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.api_main", "--port", str(self._gateway_port)],
            cwd=ROOT,
            env=os.environ
            | {
                "HEARTBEAT_BUFFER_SECONDS": str(HEARTBEAT_BUFFER_SECONDS),
                "POWERTOOLS_LOG_LEVEL": "CRITICAL",
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the soak's to handle
        )
        assert process.stdout
        with process.stdout:
            if not process.stdout.readline():
                raise engine.EngineError("the gateway ended at once")
        return process

    def stop_engine(self) -> None:
        """It ends, and keeps the table."""
        self._engine.send_signal(signal.SIGTERM)
        self._engine.wait()
        engine.end(self._engine)

    def start_engine(self) -> None:
        """With the table that it had."""
        self._engine = engine.start(self._engine_port, **self._settings)

    def freeze_engine(self) -> None:
        """It answers nobody, and hears everybody."""
        self._engine.send_signal(signal.SIGSTOP)

    def thaw_engine(self) -> None:
        """It goes on with what it has heard."""
        self._engine.send_signal(signal.SIGCONT)

    def kill_gateway(self) -> None:
        """With every function that runs in it."""
        self._gateway.kill()
        self._end_gateway()

    def start_gateway(self) -> None:
        """At the same port."""
        self._gateway = self._serve()

    def end(self) -> None:
        """Everything, for good."""
        self.thaw_engine()
        self._end_gateway()
        engine.end(self._engine)

    def _end_gateway(self) -> None:
        assert self._gateway.stdin
        self._gateway.stdin.close()
        self._gateway.wait()


@contextmanager
def system() -> Iterator[System]:
    """One with an empty table. Should this process be killed, it ends by itself.

    Raises:
        EngineError: it does not start.
    """
    with tempfile.TemporaryDirectory() as state:
        running = System(state)
        try:
            yield running
        finally:
            running.end()
