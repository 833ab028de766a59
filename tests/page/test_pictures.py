"""`make pictures` draws what the documents show."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from local.template import ROOT
from tests.page.pictures import FOLDER, MOST_BYTES, draw


@pytest.fixture(scope="module")
def drawn(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    assert len(draw(browser, folder)) == len(list(folder.iterdir()))
    return folder


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_the_pictures_are_those_that_are_there_and_small(drawn: Path) -> None:
    assert names(drawn) == names(FOLDER)
    for file in (*drawn.iterdir(), *FOLDER.iterdir()):
        assert 5_000 < file.stat().st_size < MOST_BYTES, file


def test_every_picture_is_shown_with_words_for_those_who_do_not_see_it() -> None:
    documents = {ROOT / "README.md": "docs/pictures/", ROOT / "docs/operations.md": "pictures/"}
    shown = set()
    for document, folder in documents.items():
        for words, name in re.findall(rf"!\[([^\]]*)\]\({folder}([^)]+)\)", document.read_text(encoding="utf-8")):
            assert len(words) > 20, name
            shown.add(name)
    assert shown == names(FOLDER)
