"""MariaDB from Debian's packages, unpacked in .peer/mariadb and not installed."""

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench.load.peer import PEER, NotAvailableError
from sim.system import last_line

_ROOT: Final = PEER / "mariadb"
_PROGRAM: Final = _ROOT / "usr/sbin/mariadbd"
_TEXTS: Final = _ROOT / "usr/share/mysql"
_START_SECONDS: Final = 30
_SYSTEM_TABLES: Final = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
_BEFORE_THEM: Final = "create database mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n"
"""The last statement lets root connect without a password."""


class MariaDB(NamedTuple):
    """A running server."""

    pid: int
    uri: str
    """For SQLAlchemy; its database does not exist yet."""


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDB]:
    """A new server with its data in the folder, reached by a socket there. It ends with this process at the latest.

    Raises:
        NotAvailableError: there is none, or it does not start.
    """
    if not _PROGRAM.exists():
        raise NotAvailableError("no MariaDB here; `make .peer/mariadb` fetches it where there is apt-get")
    data, log_path, door = folder / "data", folder / "mariadb.log", folder / "socket"
    data.mkdir()
    command = ["setpriv", "--pdeathsig", "KILL", str(_PROGRAM), *_options(data, door)]
    with log_path.open("w", encoding="utf-8") as log:
        process = _make_tables_and_start(command, log.fileno(), log_path)
    try:
        _wait_until_up(process, door, log_path)
        yield MariaDB(process.pid, f"mysql+pymysql://root@localhost/jobmon?unix_socket={door}")
    finally:
        process.kill()
        process.wait()


def _options(data: Path, door: Path) -> list[str]:
    where = [f"--basedir={_ROOT / 'usr'}", f"--datadir={data}", f"--socket={door}", "--skip-networking"]
    texts = [f"--lc-messages-dir={_TEXTS}", f"--character-sets-dir={_TEXTS / 'charsets'}"]
    return ["--no-defaults", f"--user={getpass.getuser()}", *where, *texts]


def _make_tables_and_start(command: list[str], log: int, log_path: Path) -> "subprocess.Popen[bytes]":
    tables = _BEFORE_THEM + "".join((_TEXTS / each).read_text(encoding="utf-8") for each in _SYSTEM_TABLES)
    environment = _environment()
    made = subprocess.run(
        [*command, "--bootstrap"], input=tables.encode(), env=environment, stdout=log, stderr=log, check=False
    )
    if made.returncode:
        raise NotAvailableError(f"MariaDB made no tables: {last_line(log_path)}")
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def _environment() -> Mapping[str, str]:
    libraries = [*_ROOT.glob("usr/lib/*-linux-gnu*"), *_ROOT.glob("lib/*-linux-gnu*")]
    return os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


def _wait_until_up(process: "subprocess.Popen[bytes]", door: Path, log_path: Path) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(door)) == 0:
                return
        if process.poll() is not None or time.monotonic() > give_up:
            raise NotAvailableError(f"MariaDB did not start: {last_line(log_path)}")
        time.sleep(0.05)
