"""The Makefile: its commands before a commit and in CI, and what it prints while it installs."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any, Final

import yaml

from local.template import ROOT

MAKE: Final = ["make", "--dry-run", "--always-make", "--no-print-directory"]
CI: Final = ROOT / ".ci/run"


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def commands(target: str) -> list[str]:
    """The commands of a make target, with those of all that it needs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    shown = subprocess.run(
        [*MAKE, target], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True
    )
    return shown.stdout.splitlines()


def test_check_runs_every_kind_of_check() -> None:
    run = commands("check")
    tools = (
        "ruff format --check",
        "ruff check",
        "mypy",
        "lint-imports",
        "cfn-lint",
        "sam validate",
        "sam build",
        "pytest",
    )
    assert [tool for tool in tools if not any(f"/{tool}" in each or f" {tool}" in each for each in run)] == []


def main_of(module: str) -> Path:
    """The file of a module that `python -m local` starts."""
    path = ROOT / module.replace(".", "/")
    return path / "__main__.py" if path.is_dir() else path.with_suffix(".py")


def test_every_program_of_make_has_a_main() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    programs = set(re.findall(r"\$\(RUN\) ([\w.]+)", makefile))
    assert "tests.support.sizes" in programs
    without = [name for name in programs if "\ndef main(" not in main_of(name).read_text(encoding="utf-8")]
    assert without == []


def test_what_a_virtual_environment_is_for_has_no_comma() -> None:
    """A comma ends an argument: what follows it was made of nothing."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for arguments in re.findall(r"\$\(call venv,(.*)\)$", makefile, re.MULTILINE):
        folder, purpose, *options = arguments.split(",")
        assert folder.startswith(".")
        assert purpose
        assert all(option.startswith("--") for option in options), arguments


def test_what_make_installs_is_not_part_of_a_programs_output(tmp_path: Path) -> None:
    """`make token` may be the first command after a clone or an update: only the token is printed."""
    for file in ("shared/requirements.txt", "local/requirements.txt", ".venv/pip"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    for program, prints in {"pip": "", "python": "the token"}.items():
        stub = tmp_path / ".venv/bin" / program
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f"#!/bin/sh\nprintf '{prints}'\n", encoding="utf-8")
        stub.chmod(0o755)
    command = ["make", "--silent", "--file", str(ROOT / "Makefile"), "token", "SCOPE=reader", "DAYS=1", "PORT=1"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    assert made.stdout == "the token"
    assert ".venv: installing" in made.stderr


def test_a_commit_is_checked_with_commands_of_make_check() -> None:
    hooks = [hook for repository in read(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert hooks
    for hook in hooks:
        make, target = hook["entry"].split()
        assert make == "make"
        assert commands(target)
        assert set(commands(target)) <= set(commands("check"))


def test_hooks_use_the_tools_of_this_project() -> None:
    for repository in read(".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    ours = (".venv/", "PYTHONPATH=shared .venv/")
    tools = [each for each in commands("lint") if "ruff" in each or "mypy" in each or "lint-imports" in each]
    assert tools
    assert all(each.startswith(ours) for each in tools)


def test_ci_runs_make_check() -> None:
    [job] = read(".github/workflows/check.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [CI.relative_to(ROOT).as_posix()]
    assert os.access(CI, os.X_OK)
    assert CI.read_text(encoding="utf-8").splitlines()[-1] == "make check"


def test_ci_runs_the_oldest_python_that_is_supported() -> None:
    [job] = read(".github/workflows/check.yml")["jobs"].values()
    [version] = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
    assert (
        f">={version}"
        == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    )


def test_editors_and_formatter_agree() -> None:
    editors = ConfigParser()
    editors.read_string("[*all]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    formatter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert editors.getint("*.py", "max_line_length") == formatter["line-length"]


OURS: Final = ("functions", "shared", "local", "ops", "sim", "bench", "tests")
TEXT_FILES: Final = {"open", "fdopen", "read_text", "write_text"}
TEXT_MODES: Final = {"text", "universal_newlines"}
NO_TEXT: Final = re.compile(r"^os\.open\(|\.open\(request\)$")
"""A descriptor; a URL."""


def in_the_locale(source: str) -> Iterator[int]:
    """The lines that open text, or exchange it with a process, in the encoding of the machine's locale."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        named = {keyword.arg for keyword in call.keywords}
        name = ast.unparse(call.func).rpartition(".")[2]
        modes = [ast.unparse(each).strip("'") for each in (*call.args, *(keyword.value for keyword in call.keywords))]
        binary = not name.endswith("_text") and any("b" in mode and set(mode) <= set("rwxab+") for mode in modes)
        is_file = name in TEXT_FILES and not binary and not NO_TEXT.search(ast.unparse(call))
        exchanged = any(keyword.arg in TEXT_MODES and ast.unparse(keyword.value) == "True" for keyword in call.keywords)
        if "encoding" not in named and (is_file or exchanged):
            yield call.lineno


def test_text_is_read_and_written_as_utf_8_whatever_the_locale() -> None:
    files = [file for folder in OURS for file in (ROOT / folder).rglob("*.py")]
    found = {file: [*in_the_locale(file.read_text(encoding="utf-8"))] for file in files}
    assert {str(file.relative_to(ROOT)): lines for file, lines in found.items() if lines} == {}


def test_a_text_in_the_locale_is_found() -> None:
    calls = ("open('x')", "path.open('a')", "path.read_text()", "path.write_text('b')", "subprocess.run([], text=True)")
    assert [call for call in calls if not [*in_the_locale(call)]] == []
    assert [*in_the_locale("open('x', 'rb'); path.open(encoding='utf-8'); os.open('x', 0)")] == []
