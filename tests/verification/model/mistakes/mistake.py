"""What a mistake is."""

from collections.abc import Callable
from typing import Any

import pytest

Mistake = Callable[[pytest.MonkeyPatch], Any]
"""Makes the product wrong, for as long as the patch stands."""
