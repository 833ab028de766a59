"""Clusters of a test's own."""

from pathlib import Path
from typing import Final

from local.template import ROOT
from lockstep.cluster.item import Clusters
from lockstep.cluster.known import forget
from ops.clusters.__main__ import load
from ops.clusters.file import parse
from ops.clusters.merge import Merged

EXAMPLE: Final = ROOT / "docs/clusters.yaml"


def load_clusters(raw: bytes | Path = EXAMPLE) -> Merged:
    """Load a file's clusters into this process's table, as `make clusters` does."""
    return load(*parse(raw if isinstance(raw, bytes) else raw.read_bytes()))


def without_clusters() -> None:
    """Leave no clusters in this process's table but the built-in ones."""
    Clusters(*Clusters.key()).delete()
    forget()
