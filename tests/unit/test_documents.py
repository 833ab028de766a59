"""What is generated is fresh."""

from pathlib import Path

import pytest

from local import decisions
from local.document import DOCUMENTS
from local.template import ROOT


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == DOCUMENTS[path](), "run `make docs`"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(decisions, "LIST", tmp_path / "README.md")
    return tmp_path


def test_a_number_without_a_decision_is_not_used(folder: Path) -> None:
    (folder / "0002-b.md").write_text("# 2. Two\n\n> The second one.\n\nMore.\n", encoding="utf-8")
    assert decisions.document().endswith("|\n| 1 | not used | |\n| 2 | [Two](0002-b.md) | The second one. |\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0001-a.md", "# 1. One\n\nMore.\n"),
        ("0002-a.md", "# 1. One\n\n> Line.\n\n"),
        ("0003-a.md", "# 3. Same\n\n> Line.\n\n"),
    ],
    ids=["no line", "another number", "a number twice"],
)
def test_a_decision_begins_with_number_title_and_line(folder: Path, name: str, text: str) -> None:
    (folder / "0003-b.md").write_text("# 3. Three\n\n> The third one.\n\n", encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="0003-b.md" if name == "0003-a.md" else name):
        decisions.document()
