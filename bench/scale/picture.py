"""docs/scale.svg: herds over time, and days against limits."""

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.scale import day
from bench.scale.herd import TICK
from bench.scale.tables import DOCUMENT, courses, steps

FILE: Final = DOCUMENT.with_suffix(".svg")
_SECONDS: Final = 150
_SMALLEST, _LARGEST = 10**4, 10**9


def draw(path: Path) -> None:
    """Write the picture; the same numbers give the same file."""
    with mpl.rc_context(
        {"svg.hashsalt": "lockstep", "font.size": 8, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        _herds(left)
        _days(right)
        figure.savefig(path, metadata={"Date": None})


def _herds(axes: Axes) -> None:
    for scenario, course in courses():
        seconds = [index * TICK for index in range(len(course.running))]
        axes.plot(seconds, [running / scenario.herd.workers for running in course.running], label=scenario.what, lw=1)
    axes.set(xlim=(0, _SECONDS), ylim=(0, 1.02), xlabel="seconds", ylabel="share of the herd that is through")
    axes.set_title("Herds within 10 s: 50,000 workers where nothing else is said")
    axes.legend(frameon=False, fontsize=6)


def _days(axes: Axes) -> None:
    ends = (_SMALLEST, _LARGEST)
    for demand in sorted(day.demands(steps()), key=day.held):
        axes.plot(ends, [instances / day.held(demand) for instances in ends], label=demand.limit.what, lw=1)
    axes.axhline(1, color="black", lw=0.8, ls="--")
    axes.set(
        xscale="log", yscale="log", xlim=ends, ylim=(1e-3, 1e2), xlabel="instances a day", ylabel="share of a limit"
    )
    axes.set_title("Busiest second of a day")
    axes.legend(frameon=False, fontsize=6)
