"""The terminal: a live picture where there is one, lines elsewhere."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live

WIDTH_OF_NO_TERMINAL: Final = 100


def make_console() -> Console:
    """Make a console that prints text as it is."""
    made = Console(highlight=False, markup=False)
    if not made.is_terminal:
        made.width = WIDTH_OF_NO_TERMINAL
    return made


def is_live(console: Console) -> bool:
    """Return whether it can show a live picture."""
    return console.is_terminal and not console.is_dumb_terminal


def live(console: Console, picture: Callable[[], RenderableType]) -> AbstractContextManager[object]:
    """Show a picture that keeps changing, if the console can."""
    return Live(get_renderable=picture, console=console) if is_live(console) else nullcontext()
