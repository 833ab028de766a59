"""The layer, built by the recipe that `sam build` calls."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.template import ROOT, Function

LAMBDA_PYTHON: Final = ROOT / ".lambda/bin/python"
"""It has nothing installed but Lambda's runtime client."""
NEVER: Final = (
    "boto3",
    "aws_xray_sdk",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
)
"""What a function never imports: each would make every cold start half as long again, or twice."""
TRACER: Final = "aws_lambda_powertools.tracing"
"""Powertools' own __init__ imports it; what it would cost is the X-Ray SDK, which it imports when a Tracer is made."""
_ACCEPTED: Final = r"""
import importlib.util, json, marshal, pathlib, sys
accepted = {}
for file in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    data = file.read_bytes()
    if data[:4] == importlib.util.MAGIC_NUMBER and data[4:8] == b"\1\0\0\0":
        accepted[importlib.util.source_from_cache(str(file))] = marshal.loads(data[16:]).co_filename
print(json.dumps(accepted))
"""
"""Magic number; flags: made from a source whose hash is not looked at; the code."""


def build_for_lambda(folder: Path) -> Path:
    """The layer's python/, as it is deployed."""
    return _build(folder)


def build_for_host(folder: Path, *without: str) -> Path:
    """The same with wheels that this machine can load, compiled for this Python; without levers: `LAYER_DATA=all`."""
    return _build(folder, "PLATFORM=", f"LAYER_PYTHON={sys.executable}", *without)


def _build(folder: Path, *variables: str) -> Path:
    command = ["make", "--silent", "build-Layer", f"ARTIFACTS_DIR={folder}", f"PYTHON={sys.executable}", *variables]
    subprocess.run(command, cwd=ROOT / "shared", check=True)
    return folder / "python"


def imported_by(function: Function, layer: Path) -> list[str]:
    """The modules that there are once a function is imported."""
    environment = {**function.variables, "PYTHONPATH": str(layer), "AWS_DEFAULT_REGION": "us-east-1"}
    program = [str(LAMBDA_PYTHON), "-Bc", "import sys, app; print(*sys.modules)"]
    said: str = subprocess.check_output(program, cwd=function.folder, env=environment, text=True)
    return said.split()


def compile_for_host(folder: Path) -> None:
    """Compile what is in a folder for this Python, again."""
    subprocess.run([sys.executable, ROOT / "shared/precompile.py", folder, sys.executable], check=True)


def compiled_for(layer: Path, interpreter: str) -> dict[Path, str]:
    """The modules whose bytecode an interpreter takes as it is, and the path in their tracebacks."""
    said = subprocess.check_output([interpreter, "-ISc", _ACCEPTED, layer], text=True)
    return {Path(module): path for module, path in json.loads(said).items()}
