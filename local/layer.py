"""The layer, built by the recipe that `sam build` calls."""

import subprocess
import sys
from pathlib import Path

from local.template import ROOT


def build_for_lambda(folder: Path) -> Path:
    """The layer's python/, as it is deployed."""
    return _build(folder)


def build_for_host(folder: Path, *without: str) -> Path:
    """The same with wheels that this machine can load, compiled for this Python; levers are set as in `DATA=all`."""
    return _build(folder, "PLATFORM=", f"COMPILER={sys.executable}", *without)


def _build(folder: Path, *variables: str) -> Path:
    command = ["make", "--silent", "build-Layer", f"ARTIFACTS_DIR={folder}", f"PYTHON={sys.executable}", *variables]
    subprocess.run(command, cwd=ROOT / "shared", check=True)
    return folder / "python"
