"""The optimizations of the layer, called levers, each with a way to undo it."""

from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Final

from local.layer import build_for_host, compile_for_host

PLAIN: Final = ("LAYER_DATA=all", "LAYER_ROOTS=all")
"""The variables for a layer that holds the packages as pip installs them, but compiled."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the layer's source."""

    module: str
    text: str
    instead: str


@dataclass(frozen=True, slots=True)
class Lever:
    """An optimization, and a way to undo it: a variable of the layer's Makefile, or a change of the source."""

    name: str
    without: str | Edit


LEVERS: Final = (
    Lever("modules are compiled", "LAYER_BYTECODE=none"),
    Lever("botocore's data for the used services only", "LAYER_DATA=all"),
    Lever("Amazon's certificate authorities only", "LAYER_ROOTS=all"),
    Lever(
        "no garbage collection during imports",
        Edit("__init__.py", "gc.set_threshold(50_000, 20, 100)", ""),
    ),
    Lever(
        "a fixed User-Agent",
        Edit(
            "dynamodb/client.py",
            "set_default_client_config(Config(user_agent=USER_AGENT))",
            "set_default_client_config(None)",
        ),
    ),
    Lever("conditions are built once", Edit("task_instance/store.py", "@cache\n", "")),
    Lever("a log line is formatted in one step", Edit("observability.py", "logger_formatter=LogFormat(SERVICE)", "")),
)


def layer_without(lever: Lever, layer: Path, folder: Path) -> Path:
    """Make a copy of a layer without a lever.

    Raises:
        ValueError: the source does not have the text that the lever's edit replaces.
    """
    if isinstance(lever.without, str):
        return build_for_host(folder, lever.without)
    edit = lever.without
    copy = Path(copytree(layer, folder / "python"))
    module = copy / "lockstep" / edit.module
    source = module.read_text(encoding="utf-8")
    if edit.text not in source:
        raise ValueError(f"{edit.module} does not have {edit.text!r}: correct the lever {lever.name!r} in levers.py")
    module.write_text(source.replace(edit.text, edit.instead), encoding="utf-8")
    compile_for_host(copy / "lockstep")
    return copy
