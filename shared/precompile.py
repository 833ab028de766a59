"""Compiles the layer for Lambda's Python, so that a function need not when it starts. Called by the Makefile.

    python precompile.py FOLDER            for Lambda
    python precompile.py FOLDER PYTHON     for another Python than Lambda's: for tests

Bytecode is one Python version's own, so it takes a Python 3.13, on whatever processor: found on the PATH, by uv or
among pyenv's. Where there is none, the layer is left as it is, and that is said: it works, and starts slowly. Bytecode
is loaded without a look at its source (PEP 552, unchecked): a layer never changes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VERSION: Final = "3.13"
"""template.yaml's Runtime."""
WHERE_LAYERS_ARE: Final = "/opt/python"
"""In tracebacks."""


def interpreters() -> Iterator[str]:
    """Those that may be of VERSION."""
    if found := shutil.which(f"python{VERSION}"):
        yield found
    if uv := shutil.which("uv"):
        asked = [uv, "python", "find", "--offline", VERSION]
        yield subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    yield from (str(folder / "bin/python") for folder in sorted(pyenv.glob(f"{VERSION}.*")))


def is_version(interpreter: str) -> bool:
    """Whether it runs, and is CPython of VERSION."""
    say = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([interpreter, "-IS", "-c", say], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return asked.stdout.split() == ["cpython", VERSION]


def compile_layer(layer: Path, interpreter: str) -> None:
    """A .pyc beside every .py. A source that cannot be compiled is an error."""
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(layer), "-p", WHERE_LAYERS_ARE]
    subprocess.run([interpreter, "-IS", "-m", "compileall", *options, str(layer)], check=True)


def main(layer: Path, *another: str) -> None:
    """Compile, or say why not; on standard output, which `sam build` shows."""
    interpreter = next(iter(another or filter(is_version, interpreters())), None)
    if interpreter:
        compile_layer(layer, interpreter)
    else:
        sys.stdout.write(
            f"no Python {VERSION} was found to compile the layer with: functions compile it at each start, which then"
            f" takes several times as long. Put python{VERSION} on the PATH and build again.\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
