"""The files of recordings."""

import gzip
import json
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


def read(name: str) -> list[dict[str, Any]]:
    """A recording, a JSON object a line."""
    with gzip.open(HERE / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
