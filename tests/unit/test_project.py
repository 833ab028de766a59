"""What runs before a commit and in CI are the commands of `make check`."""

import os
import subprocess
import tomllib
from configparser import ConfigParser
from typing import Any, Final

import yaml

from local.template import ROOT

MAKE: Final = ["make", "--dry-run", "--always-make", "--no-print-directory"]
CI: Final = ROOT / ".ci/run"


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def commands(target: str) -> list[str]:
    """The commands of a make target, with those of all that it needs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    shown = subprocess.run([*MAKE, target], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
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
    assert CI.read_text().splitlines()[-1] == "make check"


def test_ci_runs_the_oldest_python_that_is_supported() -> None:
    [job] = read(".github/workflows/check.yml")["jobs"].values()
    [version] = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
    assert f">={version}" == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]


def test_editors_and_formatter_agree() -> None:
    editors = ConfigParser()
    editors.read_string("[*all]\n" + (ROOT / ".editorconfig").read_text())
    formatter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert editors.getint("*.py", "max_line_length") == formatter["line-length"]
