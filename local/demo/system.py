"""The system that the demo drives: an engine and an API in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.engine import dynamodb
from local.template import ROOT


@contextmanager
def system() -> Iterator[str]:
    """The URL of an API that answers.

    API and engine have ended when this ends. Should this process be killed, they end by themselves.
    """
    with dynamodb(os.environ.get("TABLE_NAME", "lockstep")):
        process = subprocess.Popen(
            [sys.executable, "-m", "local.api_main"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}", "POWERTOOLS_LOG_LEVEL": "ERROR"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the demo's to handle
        )
        try:
            yield _url(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait()


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    with process.stdout:
        line = process.stdout.readline()
    if not line:
        raise RuntimeError("the API ended at once")
    return line.strip()
