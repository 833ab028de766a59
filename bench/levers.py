"""What makes functions start sooner and answer with less, each with the way to be without it."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Final

from local.layer import build_for_host, compile_for_host

PLAIN: Final = ("LAYER_DATA=all", "LAYER_ROOTS=all")
"""A layer as pip makes it, but compiled."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the layer's source."""

    module: str
    text: str
    instead: str


@dataclass(frozen=True, slots=True)
class Lever:
    """One of them, and what undoes it: a variable of the layer's recipe, or a change of the source."""

    name: str
    without: str | Edit


LEVERS: Final = (
    Lever("modules are compiled", "LAYER_BYTECODE=none"),
    Lever("botocore's data for the services that are asked", "LAYER_DATA=all"),
    Lever("Amazon's authorities only", "LAYER_ROOTS=all"),
    Lever(
        "no garbage is looked for while modules are imported",
        Edit("__init__.py", "gc.set_threshold(50_000, 20, 100)", ""),
    ),
    Lever(
        "one User-Agent",
        Edit(
            "dynamodb/client.py",
            "set_default_client_config(Config(user_agent=USER_AGENT))",
            "set_default_client_config(None)",
        ),
    ),
    Lever("conditions are made once", Edit("task_instance/store.py", "@cache\n", "")),
    Lever("a log line is made in one go", Edit("observability.py", "logger_formatter=LogFormat(SERVICE)", "")),
    Lever("metrics by one provider", Edit("observability.py", "@cache\ndef _provider", "def _provider")),
)


def layer_without(lever: Lever, layer: Path, folder: Path) -> Path:
    """A layer like another, but without a lever.

    Raises:
        ValueError: the source has not the text that makes the lever.
    """
    if isinstance(lever.without, str):
        return build_for_host(folder, lever.without)
    edit = lever.without
    copy = Path(copytree(layer, folder / "python"))
    module = copy / "lockstep" / edit.module
    source = module.read_text()
    if edit.text not in source:
        raise ValueError(f"{edit.module} does not have {edit.text!r}: {lever.name}")
    module.write_text(source.replace(edit.text, edit.instead))
    compile_for_host(copy / "lockstep")
    return copy
