"""The system in a process of its own, over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.template import ROOT

_WHERE_THINGS_ARE = {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "SIGNING_KEYS"}
_MODULES = {"PYTHONPATH": os.pathsep.join((".", "shared"))}


def alone() -> dict[str, str]:
    """The environment of a program that is to know nothing of this process's table and secret."""
    return {name: value for name, value in os.environ.items() if name not in _WHERE_THINGS_ARE} | _MODULES


def run_module(module: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of ours to its end, on this process's table."""
    command = [sys.executable, "-m", module, *options]
    env = os.environ | _MODULES
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=False)


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
