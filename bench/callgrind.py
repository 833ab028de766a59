"""Count a Python program's instructions in user space with valgrind's callgrind. Counts repeat from run to run."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Final

from local.layer import LAMBDA_PYTHON

MARK: Final = "getsid"
"""The C function that a counted program calls, by os.getsid(0), to end one stretch and begin the next."""
_TOTALS: Final = re.compile(r"^totals: (\d+)$", re.MULTILINE)


class CannotCountError(Exception):
    """The program was not counted; the message says why."""


def count(program: Sequence[str | Path], environment: Mapping[str, str]) -> list[int]:
    """Count the instructions of each stretch that ends with a mark.

    Raises:
        CannotCountError: valgrind is not installed, or the program failed.
    """
    valgrind = which("valgrind")
    if not valgrind:
        raise CannotCountError("valgrind is not installed (Debian: apt-get install valgrind)")
    with TemporaryDirectory() as folder:
        options = ["--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out", f"--dump-before={MARK}"]
        ended = subprocess.run(
            [valgrind, *options, LAMBDA_PYTHON, *program],
            env={"PYTHONHASHSEED": "0", "HOME": folder, **environment},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
            start_new_session=True,  # Ctrl-C is the benchmark's to handle
        )
        if ended.returncode:
            raise CannotCountError(f"{' '.join(map(str, program))} ended with {ended.returncode}: {ended.stderr}")
        parts = sorted(Path(folder).glob("out.*"), key=lambda part: int(part.suffix[1:]))
        return [int(total) for part in parts for total in _TOTALS.findall(part.read_text(encoding="utf-8"))]
