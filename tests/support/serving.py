"""Our programs in processes of their own, and the system over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.template import ROOT

_WHERE_THINGS_ARE = {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "SIGNING_KEYS"}
_MODULES = {"PYTHONPATH": os.pathsep.join((".", "shared"))}


def alone() -> dict[str, str]:
    """The environment of a program that is to know nothing of this process's table and secret."""
    return {name: value for name, value in os.environ.items() if name not in _WHERE_THINGS_ARE} | _MODULES


Ended = subprocess.CompletedProcess[str]


def ended(*command: str | Path, env: dict[str, str]) -> Ended:
    """Run a command to its end, however it ends."""
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=False)


def run_module(module: str, *options: str | Path, **settings: str) -> Ended:
    """Run a program of ours to its end, on this process's table."""
    return ended(sys.executable, "-m", module, *options, env=os.environ | _MODULES | settings)


def run_alone(module: str, *options: str | Path, **settings: str) -> Ended:
    """Run a program of ours to its end, which knows nothing of this process's table and secret."""
    return ended(sys.executable, "-m", module, *options, env=alone() | settings)


@contextmanager
def running(environment: dict[str, str], *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """What `make run` starts, and its URL. It is told to stop in the end."""
    command = [sys.executable, "-m", "local.run", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as program:
        assert program.stdout
        line = program.stdout.readline()
        assert line.startswith("Lockstep serves ")
        yield program, line.split()[2]
        program.terminate()


def port_of(url: str) -> str:
    """The port of a URL."""
    return str(httpx.URL(url).port)


@contextmanager
def serving(*options: str, **settings: str) -> Iterator[str]:
    """The URL of what `make run` serves, without the routes' prefix. It ends with the block, and must end well."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "local", "local.api_main", *options],
        cwd=ROOT,
        env=os.environ | _MODULES | settings,
        stdin=pipe,
        stdout=pipe,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait() == 0
