"""The embedded DynamoDB, or any other one that AWS_ENDPOINT_URL_DYNAMODB names, with Lockstep's table in it."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from local.template import ROOT, Template

ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_DYNAMODB"
START_SECONDS: Final = 30
LOCAL_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextmanager
def dynamodb(table: str) -> Iterator[str]:
    """The endpoint of a DynamoDB that has the table.

    It is the one that AWS_ENDPOINT_URL_DYNAMODB names, where that is set; otherwise an embedded engine on
    loopback that ends with this process. Endpoint and, where there are none, credentials are set for this process.
    """
    for name, value in LOCAL_CREDENTIALS.items():
        os.environ.setdefault(name, value)
    named = os.environ.get(ENDPOINT_VARIABLE)
    if named:
        create_table(named, table)
        yield named
        return
    _bypass_proxies()
    with _engine() as endpoint:
        os.environ[ENDPOINT_VARIABLE] = endpoint
        try:
            create_table(endpoint, table)
            yield endpoint
        finally:
            del os.environ[ENDPOINT_VARIABLE]


def _bypass_proxies() -> None:
    """A machine's HTTP proxy does not lead to its own loopback."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


@contextmanager
def _engine() -> Iterator[str]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "MINISTACK_HOST": "127.0.0.1",
        "SERVICES": "dynamodb",
    }
    process = subprocess.Popen(
        [ROOT / ".engine/bin/python", "-I", ROOT / "local/engine_main.py"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to handle: the engine must outlive the last request
    )
    try:
        _wait_until_up(process, endpoint)
        yield endpoint
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], endpoint: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            client(endpoint).list_tables()
        except BotoCoreError as error:
            if process.poll() is not None:
                raise RuntimeError(f"the engine ended at once with exit code {process.returncode}") from error
            if time.monotonic() > give_up:
                raise RuntimeError(f"the engine did not answer within {START_SECONDS} s") from error
            time.sleep(0.05)
        else:
            if process.poll() is not None:
                raise RuntimeError(f"somebody else answers at {endpoint}")
            return


def client(endpoint: str) -> Any:
    """A DynamoDB client for an endpoint."""
    given = LOCAL_CREDENTIALS | os.environ
    return botocore.session.get_session().create_client(
        "dynamodb",
        given["AWS_DEFAULT_REGION"],
        endpoint_url=endpoint,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def create_table(endpoint: str, name: str) -> None:
    """Make the table of template.yaml, unless it is there."""
    dynamodb_client = client(endpoint)
    try:
        dynamodb_client.create_table(**Template().table(name))
    except dynamodb_client.exceptions.ResourceInUseException:
        return
    dynamodb_client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
