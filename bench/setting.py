"""Prepare the counted programs: a substitute for AWS, the functions' recorded calls, and layers that trust it."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Final

from bench.callgrind import count
from bench.levers import PLAIN
from bench.recording import Recorder
from bench.stub import Call, Stub, stub
from local.engine import LOCAL_SETTINGS
from local.events import route_name
from local.follow_events import TELLS
from local.layer import build_for_host
from local.run import table_name
from local.secret import SECRET_VARIABLE, SECRETS_VARIABLE
from local.template import ROOT, Function, Template

TIMES: Final = 10
MORE: Final = ("log_done.empty",)
"""Events that are counted besides each function's own: a log_done without output, which takes two updates."""
SECRET: Final = "signing-keys"  # noqa: S105  # the secret's name
_COMPILED: Final = ignore_patterns("__pycache__")
COUNTED: Final = ROOT / "bench/counted"


def counted() -> dict[str, Function]:
    """Return the functions that serve requests: all but the one that gets records of the table's stream."""
    return {function.name: function for function in Template().functions if function.name != TELLS}


class Bench:
    """One run of the benchmark, made by `setting`."""

    def __init__(self, wire: Stub, recorder: Recorder, scratch: Path) -> None:
        self._wire = wire
        self._scratch = scratch
        self.recorder = recorder
        self.functions = counted()
        self.layer = self.trusting(build_for_host(scratch / "layer"))
        """The layer as it is deployed."""
        self._plain = self.trusting(build_for_host(scratch / "plain", *PLAIN))
        self.calls: dict[str, list[Call]] = {}
        """The recorded calls of each function's own event and of MORE."""
        for name in (*self.functions, *MORE):
            self.calls[name] = recorder.serve(name)
            for asker in (name, _bare(name)):
                wire.expect(asker, self.calls[name])
            self._event_file(name).write_text(json.dumps(recorder.event(name)), encoding="utf-8")

    def folder(self, name: str) -> Path:
        """Return a path for a scratch file or folder."""
        return self._scratch / name

    def trusting(self, layer: Path) -> Path:
        """Make a layer's botocore trust the stub's certificate, and return the layer."""
        with (layer / "botocore/cacert.pem").open("a", encoding="utf-8") as roots:
            roots.write(self._wire.authority)
        return layer

    def handler(self, name: str, layer: Path) -> list[int]:
        """Count the instructions of counted/handler.py."""
        return count([COUNTED / "handler.py", self._event_file(name), str(TIMES)], self._environment(name, layer))

    def waterfall(self, name: str) -> tuple[list[int], list[str]]:
        """Count the instructions of counted/waterfall.py, and return them with the stage of each stretch."""
        stages = self.folder("stages.json")
        totals = count(
            [COUNTED / "waterfall.py", self._event_file(name), str(TIMES), stages], self._environment(name, self.layer)
        )
        return totals, json.loads(stages.read_text(encoding="utf-8"))

    def raw(self, groups: Mapping[str, Sequence[Call]]) -> list[int]:
        """Count the instructions of counted/raw.py with botocore as pip installs it."""
        file = self.folder("groups.json")
        asked = [
            {"url": self._wire.url(_bare(name)), "calls": [asdict(call) for call in calls]}
            for name, calls in groups.items()
        ]
        file.write_text(json.dumps(asked), encoding="utf-8")
        return count([COUNTED / "raw.py", file, str(TIMES)], {**LOCAL_SETTINGS, "PYTHONPATH": str(self._plain)})

    def _event_file(self, name: str) -> Path:
        return self._scratch / f"{name}.json"

    def _deployed(self, function: Function) -> Path:
        """Copy a function's folder as it is deployed, without the bytecode that this process has written."""
        folder = self.folder(f"functions/{function.name}")
        return Path(copytree(function.folder, folder, ignore=_COMPILED, dirs_exist_ok=True))

    def _environment(self, name: str, layer: Path) -> dict[str, str]:
        function = self.functions[route_name(name)]
        return {
            **LOCAL_SETTINGS,
            **function.variables,
            "TABLE_NAME": table_name(),
            "AWS_ENDPOINT_URL_DYNAMODB": self._wire.url(name),
            SECRETS_VARIABLE: self._wire.url(name),
            SECRET_VARIABLE: self.recorder.secret,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join((str(self._deployed(function)), str(layer))),
        }


def _bare(name: str) -> str:
    """Return the name under which the stub serves the bare client's calls."""
    return f"{name}.bare"


@contextmanager
def setting(endpoint: str) -> Iterator[Bench]:
    """Prepare a benchmark. This serves each event once on the engine at the endpoint, to record its calls."""
    with stub() as wire, tempfile.TemporaryDirectory() as scratch:
        yield Bench(wire, Recorder(endpoint, SECRET), Path(scratch))
