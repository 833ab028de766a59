"""Build the layer with the Makefile that `sam build` uses, and examine it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.template import ROOT, Function

LAMBDA_PYTHON: Final = ROOT / ".lambda/bin/python"
"""A Python with only Lambda's runtime client installed."""
NEVER: Final = (
    "boto3",
    "aws_xray_sdk",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
)
"""Modules that no function may import: each lengthens every cold start by half, or doubles it."""
TRACER: Final = "aws_lambda_powertools.tracing"
"""A module that Powertools' __init__ imports. It is cheap unless a Tracer is created, which imports the X-Ray SDK."""
_ACCEPTED: Final = r"""
import importlib.util, json, marshal, pathlib, sys
accepted = {}
for file in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    data = file.read_bytes()
    if data[:4] == importlib.util.MAGIC_NUMBER and data[4:8] == b"\1\0\0\0":
        accepted[importlib.util.source_from_cache(str(file))] = marshal.loads(data[16:]).co_filename
print(json.dumps(accepted))
"""
"""Finds the .pyc files that an interpreter accepts: they have its magic number and the flags for an unchecked hash."""


def build_for_lambda(folder: Path) -> Path:
    """Build the layer for Lambda, as it is deployed, and return its python/ folder."""
    return _build(folder)


def build_for_host(folder: Path, *without: str) -> Path:
    """Build the layer with this machine's wheels, compiled for this Python.

    without: variables that switch off levers, such as `LAYER_DATA=all`.
    """
    return _build(folder, "PLATFORM=", f"LAYER_PYTHON={sys.executable}", *without)


def _build(folder: Path, *variables: str) -> Path:
    command = ["make", "--silent", "build-Layer", f"ARTIFACTS_DIR={folder}", f"PYTHON={sys.executable}", *variables]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    with subprocess.Popen(command, cwd=ROOT / "shared", env=environment, start_new_session=True) as made:
        try:
            code = made.wait()
        except BaseException:
            os.killpg(made.pid, signal.SIGKILL)  # make, and the pip that it has started
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)
    return folder / "python"


def imported_by(function: Function, layer: Path) -> list[str]:
    """Return the modules that are loaded once a function is imported."""
    environment = {**function.variables, "PYTHONPATH": str(layer), "AWS_DEFAULT_REGION": "us-east-1"}
    program = [str(LAMBDA_PYTHON), "-Bc", "import sys, app; print(*sys.modules)"]
    output: str = subprocess.check_output(
        program, cwd=function.folder, env=environment, encoding="utf-8", start_new_session=True
    )
    return output.split()


def compile_for_host(folder: Path) -> None:
    """Compile a folder again for this Python."""
    subprocess.run(
        [sys.executable, ROOT / "shared/precompile.py", folder, sys.executable], check=True, start_new_session=True
    )


def compiled_for(layer: Path, interpreter: str) -> dict[Path, str]:
    """Return the modules whose bytecode an interpreter accepts unchanged, with their path in tracebacks."""
    output = subprocess.check_output([interpreter, "-ISc", _ACCEPTED, layer], encoding="utf-8")
    return {Path(module): path for module, path in json.loads(output).items()}
