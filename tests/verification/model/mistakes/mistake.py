"""What a mistake is, and the forms that most have."""

from collections.abc import Callable, MutableMapping
from types import ModuleType
from typing import Any

import pytest

Mistake = Callable[[pytest.MonkeyPatch], None]
"""Makes the product wrong, for as long as the patch stands."""
Owner = ModuleType | type


def instead(name: str, wrong: Any, *owners: Owner) -> Mistake:
    """What has this name in these modules is something else."""
    return around(name, lambda _: wrong, *owners)


def around(name: str, wrong: Callable[[Any], Any], *owners: Owner) -> Mistake:
    """What has this name in these modules is what is wrongly made of it."""

    def mistake(patch: pytest.MonkeyPatch) -> None:
        for owner in owners:
            patch.setattr(owner, name, wrong(getattr(owner, name)))

    return mistake


def without(table: MutableMapping[Any, Any], key: Any) -> Mistake:
    """A table lacks a row."""
    return lambda patch: patch.delitem(table, key)


def both(*mistakes: Mistake) -> Mistake:
    """Mistakes that are made together."""

    def mistake(patch: pytest.MonkeyPatch) -> None:
        for each in mistakes:
            each(patch)

    return mistake
