"""The demo from start to end."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rich.console import Console

from local.demo.client import Client, UnexpectedError, expect
from local.demo.closing import close
from local.demo.distributor import Distributor
from local.demo.fates import in_turn
from local.demo.system import system
from local.demo.verdict import find_endings
from local.demo.view import View
from local.engine import EngineError

WORKERS: Final = 16
WIDTH_OF_NO_TERMINAL: Final = 100
MOST_LINES: Final = 20
"""About what must not be: all is lost at once when the system ends."""


def show() -> bool:
    """Start a system, drive an array through it and say how it went; whether all is as it must be."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_NO_TERMINAL
    console.print("starting the API")
    try:
        with Client() as client, ThreadPoolExecutor(WORKERS) as crew, system() as url:
            client.url = url
            console.print(f"the API answers at {url}")
            return _drive(console, crew, client)
    except (EngineError, UnexpectedError) as error:
        console.print("What must not be:", *str(error).splitlines()[:MOST_LINES], sep="\n", soft_wrap=True)
        return False


def _drive(console: Console, crew: ThreadPoolExecutor, client: Client) -> bool:
    fates = in_turn()
    with View(console, len(fates)) as view:
        distributor = Distributor(client, crew, view)
        tasks = distributor.bind(fates)
        view.say(f"{len(tasks)} tasks are bound")
        distributor.drive(tasks)
    usage = client.usage()
    expect("the requests that reached the API", usage["requests"], client.requests)
    endings = find_endings(client, crew, tasks)
    return close(console, tasks, endings, usage)
