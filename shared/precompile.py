"""Compile the layer for Lambda's Python, so that functions do not compile it when they start. The Makefile calls it.

    python precompile.py FOLDER            for Lambda
    python precompile.py FOLDER PYTHON     for another Python, for tests

Bytecode belongs to one Python version, so this needs a Python 3.13 for any processor: on the PATH, from uv or from
pyenv. Without one it prints a warning and leaves the layer uncompiled: functions then work, but start slowly. Python
does not compare the bytecode with its source (PEP 552, unchecked), because a deployed layer never changes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VERSION: Final = "3.13"
"""The Python version of Runtime in template.yaml."""
WHERE_LAYERS_ARE: Final = "/opt/python"
"""The folder of the layer on Lambda, which tracebacks name."""


def interpreters() -> Iterator[str]:
    """Yield interpreters that may be of VERSION."""
    if found := shutil.which(f"python{VERSION}"):
        yield found
    if uv := shutil.which("uv"):
        asked = [uv, "python", "find", "--offline", VERSION]
        yield subprocess.run(asked, capture_output=True, encoding="utf-8", check=False).stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from (str(folder / "bin/python") for folder in sorted(pyenv.glob(f"{VERSION}.*")))


def is_version(interpreter: str) -> bool:
    """Return whether an interpreter starts and is CPython of VERSION."""
    say = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([interpreter, "-IS", "-c", say], capture_output=True, encoding="utf-8", check=False)
    except OSError:
        return False
    return asked.stdout.split() == ["cpython", VERSION]


def compile_layer(layer: Path, interpreter: str) -> None:
    """Write a .pyc for every .py. A source that does not compile is an error."""
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(layer), "-p", WHERE_LAYERS_ARE]
    subprocess.run([interpreter, "-IS", "-m", "compileall", *options, str(layer)], check=True)


def main(layer: Path, *another: str) -> None:
    """Compile the layer, or print why not, on standard output, which `sam build` shows."""
    interpreter = next(iter(another or filter(is_version, interpreters())), None)
    if interpreter:
        compile_layer(layer, interpreter)
    else:
        sys.stdout.write(
            f"no Python {VERSION} was found, so the layer is not compiled: functions compile it at each start, which"
            f" takes several times as long. Put python{VERSION} on the PATH and build again.\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
