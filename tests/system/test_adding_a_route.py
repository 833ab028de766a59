"""docs/adding-a-route.md, performed on a copy of the project: it works, and no step can be left out unnoticed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from local.template import ROOT
from tests.support.serving import alone

GUIDE: Final = (ROOT / "docs/adding-a-route.md").read_text(encoding="utf-8")
ENVIRONMENTS: Final = (".venv", ".engine", ".sam")
BEING_WRITTEN: Final = shutil.ignore_patterns("*.pyc.*")
AGREEMENT: Final = (
    "tests/unit/test_routes.py",
    "tests/routes/test_every_route.py",
    "tests/deployment/test_routes.py",
    "tests/conformance/test_events.py::test_every_route_has_one_event_and_a_file_of_cases",
)
"""The tests that name what is missing."""
THE_ROUTE: Final = (
    "tests/routes/test_contracts.py",
    "tests/routes/test_sizes.py::test_the_document_states_the_size_of_each_route",
    "tests/unit/test_documents.py",
    "tests/unit/test_prices.py",
    "tests/unit/test_openapi.py",
    "tests/deployment/test_permissions.py",
    "tests/conformance/test_events.py",
    "tests/verification/faults/test_faults.py::test_every_route_is_tried",
)
OTHER_ROUTES: Final = "test_contracts.py or test_events.py or test_permissions.py"
NOT_OF_OTHER_ROUTES: Final = ("-k", f"not ({OTHER_ROUTES}) or get_batch_size or every_route or no_event_changes")
FIRST_FAILURE: Final = "-x"
MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
SOURCES: Final = ("functions", "shared", "local", "ops", "sim", "bench", "tests")
LINT: Final = (
    ("ruff", "format", "--no-cache", "--check", *SOURCES),
    ("ruff", "check", "--no-cache", *SOURCES),
    ("lint-imports", "--no-cache"),
    (
        "mypy",
        f"--cache-dir={os.devnull}",
        "functions/array/get_batch_size/app.py",
        "tests/routes/array/contracts.py",
    ),
    ("cfn-lint", "template.yaml", "--append-rules", "cfn_lint_serverless.rules"),
)
"""What `make lint` and `make templates` run, mypy on what is new."""


class Block(NamedTuple):
    """A block of the guide: a file to write, lines to insert, or commands to run."""

    section: str
    does: str
    text: str

    def apply(self, project: Path) -> None:
        kind, _, where = self.does.partition(": ")
        if kind == "run":
            subprocess.run(
                [shutil.which("bash") or "bash", "-e"], input=self.text, encoding="utf-8", cwd=project, check=True
            )
        elif kind == "file":
            file = project / where
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
        else:
            name, _, anchor = where.partition(", before: ")
            before, line, after = (
                (project / name).read_text(encoding="utf-8").partition(_line_with(project / name, anchor))
            )
            (project / name).write_text(before + self.text + line + after, encoding="utf-8")


def _line_with(file: Path, anchor: str) -> str:
    """The first line that begins with the anchor, leading spaces of the line aside."""
    return next(
        line
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.lstrip().startswith(anchor.lstrip())
    )


def blocks() -> Iterator[Block]:
    for section in re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        for does, text in re.findall(r"<!-- (.*?) -->\n```\w*\n(.*?)```", section, re.DOTALL):
            yield Block(title, does, text)


def programs_of_make_docs() -> list[str]:
    [recipe] = re.findall(r"^docs:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return re.findall(r"\$\(RUN\) ([\w.]+)", recipe)


BLOCKS: Final = tuple(blocks())
PLACES: Final = sorted({block.section for block in BLOCKS})


def copy_to(folder: Path) -> None:
    """Copy what git would check in, with what Python has compiled of it and the environments of this one."""
    listed = subprocess.check_output(
        [shutil.which("git") or "git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, encoding="utf-8"
    )
    names = [Path(name) for name in listed.splitlines() if (ROOT / name).is_file()]
    for below in {name.parent for name in names}:
        (folder / below).mkdir(parents=True, exist_ok=True)
        if (compiled := ROOT / below / "__pycache__").is_dir():
            shutil.copytree(compiled, folder / below / "__pycache__", ignore=BEING_WRITTEN)
    for name in names:
        shutil.copy2(ROOT / name, folder / name)  # a file with another time would be compiled again
    for environment in ENVIRONMENTS:
        (folder / environment).symlink_to(ROOT / environment)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project."""
    copy_to(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which all that the guide says was done."""
    folder = tmp_path_factory.mktemp("walked")
    copy_to(folder)
    for block in BLOCKS:
        block.apply(folder)
    for program in programs_of_make_docs():
        made = run(folder, sys.executable, "-m", "local", program)
        assert made.returncode == 0, made.stderr
    return folder


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = alone() | {"PYTHONPATH": os.pathsep.join((str(project), str(project / "shared")))}
    return subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def run_tests(project: Path, *which: str) -> subprocess.CompletedProcess[str]:
    return run(project, sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", *which)


def test_there_are_five_places() -> None:
    assert [place.partition(". ")[0] for place in PLACES] == ["1", "2", "3", "4", "5"]


def test_the_walk_adds_a_route_that_keeps_its_contract(walked: Path) -> None:
    passed = run_tests(walked, *NOT_OF_OTHER_ROUTES, *AGREEMENT, *THE_ROUTE)
    assert passed.returncode == 0, passed.stdout


@pytest.mark.parametrize("command", LINT, ids=lambda command: " ".join(command[:2]))
def test_the_walk_leaves_nothing_to_lint(walked: Path, command: tuple[str, ...]) -> None:
    tool, *arguments = command
    linted = run(walked, str(walked / ".venv/bin" / tool), *arguments)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("left_out", BLOCKS, ids=lambda block: f"{block.section}: {block.does.partition(', ')[0]}")
def test_a_block_that_is_left_out_is_named(project: Path, left_out: Block) -> None:
    for block in BLOCKS:
        if block != left_out:
            block.apply(project)
    failed = run_tests(project, FIRST_FAILURE, *AGREEMENT)
    assert failed.returncode != 0, failed.stdout
    assert re.search(r"get_batch_size|GetBatchSize|BatchSizeReply", failed.stdout), failed.stdout
    assert re.search(r"missing|is not defined", failed.stdout), failed.stdout
