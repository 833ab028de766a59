"""A function's artifact in a process of its own, under the runtime that Lambda runs it under."""

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from tempfile import TemporaryFile
from typing import IO, Any, Final

from local.engine import LOCAL_SETTINGS
from local.layer import LAMBDA_PYTHON
from local.template import Function
from tests.deployment.artifact.runtime_api import Heard, Invocation, Kind, RuntimeApi

START_SECONDS: Final = 60
REGION: Final = LOCAL_SETTINGS["AWS_DEFAULT_REGION"]


class FunctionError(Exception):
    """The function's exception, as Lambda's caller sees it. The process lives on."""

    def __init__(self, reported: dict[str, Any]) -> None:
        super().__init__(f"{reported['errorType']}: {reported['errorMessage']}")
        self.reported = reported


class NoAnswerError(Exception):
    """The function did not start, ended or took too long; the message has all that it wrote."""


class Lambda:
    """One warm function. start makes it."""

    def __init__(
        self,
        function: Function,
        process: "subprocess.Popen[bytes]",
        api: RuntimeApi,
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> None:
        self.function = function
        self.request_ids: list[str] = []
        """Of the invocations so far."""
        self._process = process
        self._api = api
        self._stdout = stdout
        self._stderr = stderr
        threading.Thread(target=self._watch).start()
        self._hear(Kind.READY, within=START_SECONDS)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def invoke(self, event: Any) -> Any:
        """The reply to an event; the process then waits for another one.

        Raises:
            FunctionError: the function raised an exception.
            NoAnswerError: it ended, or did not answer within the template's Timeout.
        """
        request_id = str(uuid.uuid4())
        self.request_ids.append(request_id)
        deadline_ms = int((time.time() + self.function.timeout) * 1000)
        arn = f"arn:aws:lambda:{REGION}:000000000000:function:{self.function.name}"
        self._api.invocations.put(Invocation(request_id, deadline_ms, arn, event))
        heard = self._hear(Kind.RESPONSE, Kind.ERROR, within=self.function.timeout)
        assert heard.request_id == request_id
        self._hear(Kind.READY, within=START_SECONDS)
        if heard.kind is Kind.ERROR:
            raise FunctionError(heard.body)
        return heard.body

    def stdout(self) -> str:
        """What it has written there so far: its log."""
        return _all_of(self._stdout)

    def stderr(self) -> str:
        """What it has written there so far."""
        return _all_of(self._stderr)

    def _hear(self, *kinds: Kind, within: float) -> Heard:
        try:
            heard = self._api.heard.get(timeout=within)
        except Empty:
            raise NoAnswerError(self._complaint(f"said nothing for {within} s")) from None
        if heard.kind not in kinds:
            raise NoAnswerError(self._complaint(f"{heard.kind.name} {heard.body}"))
        return heard

    def _watch(self) -> None:
        self._api.heard.put(Heard(Kind.ENDED, body=f"exit status {self._process.wait()}"))

    def _complaint(self, what: str) -> str:
        return f"{self.function.name}: {what}\n{_all_of(self._stdout)}{_all_of(self._stderr)}"


def _all_of(file: IO[bytes]) -> str:
    """From its beginning, without a move of the place in it: that is where the process writes."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode(errors="replace")


@contextmanager
def start(function: Function, layer: Path, settings: Mapping[str, str], scratch: Path) -> Iterator[Lambda]:
    """A function that waits for its first event, and ends when it is left.

    It can import its folder, the layer and awslambdaric, in this order as in Lambda, and has no environment
    but Lambda's and the template's, with settings over it. scratch is its home.

    Raises:
        NoAnswerError: it cannot be imported.
    """
    with TemporaryFile(dir=scratch) as stdout, TemporaryFile(dir=scratch) as stderr, RuntimeApi() as api:
        process = subprocess.Popen(
            [LAMBDA_PYTHON, "-m", "awslambdaric", function.handler],
            cwd=function.folder,
            env={**_lambdas_own(function, layer, scratch, api), **function.variables, **settings},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            yield Lambda(function, process, api, stdout, stderr)
        finally:
            process.kill()
            process.wait()


def _lambdas_own(function: Function, layer: Path, scratch: Path, api: RuntimeApi) -> dict[str, str]:
    return {
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.logging["LogFormat"],
        "AWS_LAMBDA_LOG_LEVEL": function.logging["ApplicationLogLevel"],
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_REGION": REGION,
        **LOCAL_SETTINGS,
        "HOME": str(scratch),
        "LAMBDA_TASK_ROOT": str(function.folder),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(layer),
        "TZ": ":UTC",
    }
