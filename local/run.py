"""`make run`: serve the API on loopback until Ctrl-C. Everything that it starts ends with it."""

import argparse
import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from local.engine import ENDPOINT_VARIABLE, EngineError, dynamodb
from local.folder import Folder, FolderError, claimed
from local.log import log_for_a_terminal
from local.pages import to_open
from local.secret import SECRET_VARIABLE, use_new_secret
from local.start import end_with, stopping_by
from local.template import ROOT
from local.workers import MOST, EndedError, Supervisor, supervise, usual

MAX_PORT = 65_535
BACKLOG = 2_048
LOCAL_SECRET = "signing-keys"  # noqa: S105  # the secret's name
Ready = Callable[[str, str, str | None], None]


def state_file(port: int) -> Path:
    """Return the file in which the system on a port stores the addresses of its parts."""
    return ROOT / ".run" / f"{port}.json"


def table_name() -> str:
    """Return the name of the table that this process uses."""
    return os.environ.get("TABLE_NAME", "lockstep")


def serve(port: int, ready: Ready, *, authenticates: bool = False, data: Path | None = None, workers: int = 1) -> None:
    """Serve on loopback until SIGINT or SIGTERM; port 0 means any free port.

    ready is called with the API's URL, the table's URL and, if callers must authenticate, the name of the secret with
    the signing keys. data is the folder in which the embedded engine's items and the signing key are kept. workers is
    the number of processes that serve.
    """
    embedded = not os.environ.get(ENDPOINT_VARIABLE)
    with ExitStack() as stack:
        listeners = _listeners(stack, port, workers)
        folder = stack.enter_context(claimed(data)) if data else None
        engines: list[subprocess.Popen[bytes]] = []
        endpoint = stack.enter_context(dynamodb(table_name(), folder, engines.append))
        secret = _secret(endpoint, folder, embedded=embedded) if authenticates else None
        os.environ["AUTH_MODE"] = "token" if authenticates else "off"
        taken = listeners[0].getsockname()[1]
        url = f"http://127.0.0.1:{taken}"

        def serves() -> None:
            for engine in engines:
                threading.Thread(target=_end_with, args=(engine,), daemon=True).start()
            ready(url, endpoint, secret)

        if workers == 1:
            asyncio.run(_serve(_gateway(None, 0, authenticates=authenticates), listeners[0], serves))
        else:
            _serve_together(listeners, serves, authenticates=authenticates)


def _end_with(engine: "subprocess.Popen[bytes]") -> None:
    """End this process, as a signal does, if the engine ends before it is told to."""
    code = engine.wait()
    assert engine.stdin
    if not engine.stdin.closed:
        print(f"the embedded DynamoDB ended with exit code {code}, so nothing is served any more", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGTERM)


def _serve_together(listeners: Sequence[socket.socket], ready: Callable[[], None], *, authenticates: bool) -> None:
    """Let a worker serve each listener."""
    from local.gateway import load_handlers  # noqa: PLC0415  # as in _gateway
    from local.meter import shared_counts  # noqa: PLC0415  # as in _gateway

    load_handlers()  # once: the workers share what is imported before they are forked
    counts = shared_counts(len(listeners))

    def work(number: int, supervisor: Supervisor) -> None:
        served = _gateway(counts, number, authenticates=authenticates)
        asyncio.run(_serve(served, listeners[number], supervisor.serves, supervisor))

    supervise(len(listeners), work, ready)


def _listeners(stack: ExitStack, port: int, workers: int) -> list[socket.socket]:
    """Listen at a port with a socket for each worker, so that the kernel spreads connections evenly.

    Sockets that share a port keep nobody out who wants to share it too: so one listens alone first.
    """
    alone = _listener(port)
    if workers == 1:
        return [stack.enter_context(alone)]
    with alone:
        taken = alone.getsockname()[1]
    return [stack.enter_context(_listener(taken, shared=True)) for _ in range(workers)]


def _listener(port: int, *, shared: bool = False) -> socket.socket:
    listener = socket.socket()
    try:
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections inherit this
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)  # from now on nobody else can
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        raise EngineError(
            "another program uses it; stop that one, or choose another: PORT=…" if taken else str(error)
        ) from error
    return listener


def _secret(endpoint: str, folder: Folder | None, *, embedded: bool) -> str:
    """Create a secret in the embedded engine, or return the one in SIGNING_KEYS if the endpoint is given."""
    if embedded:
        use_new_secret(endpoint, LOCAL_SECRET, folder.signing_key() if folder else None)
        return LOCAL_SECRET
    if named := os.environ.get(SECRET_VARIABLE):
        return named
    raise EngineError(
        f"AUTH=on with {ENDPOINT_VARIABLE} needs {SECRET_VARIABLE}: set it to the name of the signing keys' secret"
    )


def _gateway(counts: "memoryview[float] | None", worker: int, *, authenticates: bool) -> Any:
    """The application. counts: shared_counts, if several workers serve."""
    from local import aws_limits  # noqa: PLC0415  # as below
    from local.gateway import Gateway  # noqa: PLC0415  # importing it imports the functions, which read their settings
    from local.meter import Meter  # noqa: PLC0415  # as above
    from lockstep.dynamodb.client import connection  # noqa: PLC0415  # as above

    meter = Meter(counts, worker)
    meter.attach()
    aws_limits.attach(connection().client.meta.events)
    return Gateway(meter, authenticates=authenticates)


async def _serve(
    gateway: Any, listener: socket.socket, ready: Callable[[], None], supervisor: Supervisor | None = None
) -> None:
    """Serve until a signal comes, or the supervisor says stop."""
    config = uvicorn.Config(gateway, log_level="warning", lifespan="off", timeout_graceful_shutdown=5)
    await _Server(config, ready, supervisor).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that calls `ready` once it serves, and ends as start.py says, or a supervisor."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], supervisor: Supervisor | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._supervisor = supervisor

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._supervisor:
            asyncio.get_running_loop().add_reader(self._supervisor.orders, self._obey, self._supervisor)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Serve until a signal comes."""
        with stopping_by(self._stop):
            yield

    def _stop(self) -> None:
        self.should_exit = True

    def _obey(self, supervisor: Supervisor) -> None:
        asyncio.get_running_loop().remove_reader(supervisor.orders)
        if not supervisor.is_there():
            os._exit(1)
        self._stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is served, and wait for no request whose rest has not come."""
        connections: set[Any] = self.server_state.connections
        for connection in connections:
            cycle = getattr(connection, "cycle", None)
            if cycle and cycle.more_body:
                connection.transport.close()
        await super().shutdown(sockets)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {MAX_PORT}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: give one from 1 to {MOST}")
    return int(text)


def main() -> None:
    """Serve until Ctrl-C, and print the URL."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=_port, default=3000, help="0 means any free port")
    parser.add_argument("--auth", choices=["on", "off"], default="off", help="on: callers need a token (make token)")
    parser.add_argument("--data", type=Path, help="the folder that keeps everything; without it, all is forgotten")
    parser.add_argument("--workers", type=_workers, default=usual(), help=f"processes that serve (here {usual()})")
    parser.add_argument("--log", choices=["text", "json"], default="text", help="json: the lines that functions log")
    parser.add_argument("--ready-file", type=Path, help="the file to write once requests are served")
    options = parser.parse_args()
    written: list[Path] = []
    embedded = not os.environ.get(ENDPOINT_VARIABLE)

    def ready(api: str, table: str, signing_keys: str | None) -> None:
        file = options.ready_file or state_file(int(api.rpartition(":")[2]))
        file.parent.mkdir(exist_ok=True)
        partial = file.with_suffix(".partial")
        where = {"api": api, "table": table, "embedded": embedded, "table_name": table_name()}
        where["signing_keys"] = signing_keys
        partial.write_text(json.dumps(where | {"region": os.environ["AWS_DEFAULT_REGION"]}), encoding="utf-8")
        partial.rename(file)
        written.append(file)
        kept = f", kept in {options.data}" if options.data else ""
        print(f"Lockstep serves {api}/api/v3 (table at {table}{kept}). Ctrl-C stops it.")
        print(*to_open(api), sep="\n", flush=True)
        if signing_keys:
            how = f"make token SCOPE=reader DAYS=1 PORT={api.rpartition(':')[2]}"
            print(f"The page asks for a name, which is free, and a token as password: {how}", flush=True)

    if options.log == "text":
        log_for_a_terminal()
    try:
        serve(options.port, ready, authenticates=options.auth == "on", data=options.data, workers=options.workers)
    except (EngineError, FolderError, OSError) as error:
        raise SystemExit(f"cannot serve on port {options.port}: {error}") from error
    except EndedError as error:
        raise SystemExit(str(error)) from error
    finally:
        for file in written:
            file.unlink(missing_ok=True)


if __name__ == "__main__":
    end_with(main)
