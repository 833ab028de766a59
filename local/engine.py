"""A DynamoDB with Lockstep's table: an embedded engine, or the endpoint in AWS_ENDPOINT_URL_DYNAMODB."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.folder import Folder
from local.template import ROOT, Template

ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_DYNAMODB"
START_SECONDS: Final = 30
LOAD_SECONDS: Final = 600
"""The seconds that an engine may take to load the data that it kept."""
IGNORE_ENDPOINT_VARIABLE: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
LOCAL_SETTINGS: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AUTH_MODE": "off",
}
"""The environment of functions on this machine: credentials that the engine accepts, and no authentication."""
_NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
_ENGINE_INHERITS: Final = re.compile("HOME|LD_LIBRARY_PATH|PATH|TMPDIR|LOCKSTEP_.*")
"""The engine reads many variables of common names, such as LOG_LEVEL: it gets only these of the machine's."""


Started = Callable[["subprocess.Popen[bytes]"], None]


class EngineError(Exception):
    """No DynamoDB is available; the message says why in one line."""


@contextmanager
def dynamodb(table: str, folder: Folder | None = None, started: Started | None = None) -> Iterator[str]:
    """Provide a DynamoDB with the table for the clients of this process and its children, and yield its endpoint.

    It is the endpoint in AWS_ENDPOINT_URL_DYNAMODB if that is set; otherwise an embedded engine on loopback, which ends
    with this process and keeps its items in the folder, if one is given. started is called with the engine's process.

    Raises:
        EngineError: no DynamoDB answers at the given endpoint, which keeps its items itself, or the embedded engine
            does not start.
    """
    named = os.environ.get(ENDPOINT_VARIABLE)
    if named and folder:
        raise EngineError(f"DATA keeps the embedded DynamoDB, and {ENDPOINT_VARIABLE} names another: give one of them")
    if not named:
        with _engine(folder, table, started) as endpoint:
            create_table(endpoint, table)
            yield endpoint
        return
    use_named(named)
    try:
        create_table(named, table)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise EngineError(f"no DynamoDB answers at {named}, which {ENDPOINT_VARIABLE} names: {error}") from error
    yield named


def use_named(endpoint: str) -> None:
    """Direct this process's and its children's clients to an endpoint, and keep the AWS settings that are set."""
    _bypass_proxies()
    os.environ.pop(IGNORE_ENDPOINT_VARIABLE, None)  # otherwise botocore would ask AWS
    os.environ[ENDPOINT_VARIABLE] = endpoint
    for name, value in LOCAL_SETTINGS.items():
        os.environ.setdefault(name, value)


def use_embedded(endpoint: str) -> None:
    """Direct this process's and its children's clients to an embedded engine, and replace all AWS settings."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update(LOCAL_SETTINGS | _NO_FILES | {ENDPOINT_VARIABLE: endpoint})


def _bypass_proxies() -> None:
    """Exclude loopback from HTTP proxies, which cannot reach it. `*` already excludes every host."""
    for name in ("no_proxy", "NO_PROXY"):
        if os.environ.get(name) != "*":
            os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))


@contextmanager
def _engine(folder: Folder | None, table: str, started: Started | None) -> Iterator[str]:
    port = free_port()
    endpoint = endpoint_at(port)
    use_embedded(endpoint)
    process = start(port, folder, table)
    try:
        if started:
            started(process)
        yield endpoint
    finally:
        end(process)
        del os.environ[ENDPOINT_VARIABLE]


def endpoint_at(port: int) -> str:
    """Return the URL of an embedded engine on a port."""
    return f"http://127.0.0.1:{port}"


def start(port: int, folder: Folder | None = None, table: str = "") -> subprocess.Popen[bytes]:
    """Start an embedded engine on a port and wait until it answers. It ends with this process, or earlier by `end`.

    With a folder it keeps its items there, and has the table with what it kept. Without one it begins with no table.

    Raises:
        EngineError: the engine does not start.
    """
    environment = {name: value for name, value in os.environ.items() if _ENGINE_INHERITS.fullmatch(name)} | {
        "LOG_LEVEL": "WARNING",
        "MINISTACK_HOST": "127.0.0.1",
        "SERVICES": "dynamodb,dynamodbstreams,secretsmanager",
    }
    kept = [str(folder.items), json.dumps(Template().table(table))] if folder else []
    process = subprocess.Popen(
        [ROOT / ".engine/bin/python", "-I", "-X", "utf8", ROOT / "local/engine_main.py", str(port), *kept],
        env=environment,
        pass_fds=[folder.lock] if folder else [],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C must reach only this process: the engine must outlive the last request
    )
    try:
        _wait_until_up(process, endpoint_at(port), LOAD_SECONDS if folder else START_SECONDS)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop an engine that `start` started, and wait until it has ended."""
    assert process.stdin
    process.stdin.close()
    process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], endpoint: str, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while True:
        try:
            client(endpoint).list_tables()
        except BotoCoreError as error:
            if process.poll() is not None:
                raise EngineError(f"the engine ended at once with exit code {process.returncode}") from error
            if time.monotonic() > give_up:
                raise EngineError(f"the engine did not answer within {seconds} s") from error
            time.sleep(0.05)
        else:
            if process.poll() is not None:
                raise EngineError(f"another program answers at {endpoint}; choose another port")
            return


def client(endpoint: str, service: str = "dynamodb") -> Any:
    """Make a client for an endpoint, of DynamoDB or of its streams (dynamodbstreams)."""
    settings = LOCAL_SETTINGS | os.environ
    return botocore.session.get_session().create_client(
        service,
        settings["AWS_DEFAULT_REGION"],
        endpoint_url=endpoint,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def create_table(endpoint: str, name: str) -> None:
    """Create the table that template.yaml defines, unless it exists."""
    dynamodb_client = client(endpoint)
    try:
        dynamodb_client.create_table(**Template().table(name))
    except dynamodb_client.exceptions.ResourceInUseException:
        return
    dynamodb_client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def free_port() -> int:
    """Find a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
