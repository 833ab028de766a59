"""Jobmon's server, in the environment that has it: makes the database, then serves until standard input ends.

Arguments: the database's URI, the port, the numbers of workers and of threads in each.
"""

import os
import signal
import sys
import threading

import pymysql

pymysql.install_as_MySQLdb()  # Jobmon 3.2 imports MySQLdb, but asks for PyMySQL only

from gunicorn.app.wsgiapp import WSGIApplication  # noqa: E402  # as above
from jobmon.server.web.models import init_db  # noqa: E402  # as above
from sqlalchemy import create_engine  # noqa: E402  # as above


def main() -> None:
    """Serve."""
    uri, port, workers, threads = sys.argv[1:]
    engine = create_engine(uri)
    init_db(engine)
    engine.dispose()
    os.environ["JOBMON__DB__SQLALCHEMY_DATABASE_URI"] = uri
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["gunicorn", "jobmon.server.web.wsgi:app", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    sys.argv += ["--worker-class", "gthread", "--workers", workers, "--threads", threads]
    sys.argv += ["--keep-alive", "75", "--no-control-socket"]
    WSGIApplication().run()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)  # gunicorn's quick end, workers and all


if __name__ == "__main__":
    main()
