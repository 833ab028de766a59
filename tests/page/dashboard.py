"""The dashboard of template.yaml, drawn with what the functions counted while the pictures' story was told.

CloudWatch draws the same widgets from the same log lines. What API Gateway, Lambda and DynamoDB count themselves is not
there on one machine; widgets that show it say so.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from matplotlib.figure import Figure

from local.template import Template
from lockstep import observability
from tests.conformance.recording import Player

MINUTE: Final = 60
SHOWN_MINUTES: Final = 20
STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "p50": median,
    "p99": max,  # of fewer than a hundred values
}
_SEARCHED: Final = re.compile(r"MetricName=(\w+)")

Metrics = dict[str, dict[int, list[float]]]
"""The values of each metric by the minute."""
Lines = dict[str, list[tuple[int, float]]]
"""By name, the minutes and their values."""


class Counted(Player):
    """Sends requests, and collects the metrics that the functions write, by the minute of a clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.metrics: Metrics = defaultdict(lambda: defaultdict(list))

    def send(self, *asked: Any, **query: Any) -> tuple[int, Any]:
        """Send a request, as Player does."""
        written = StringIO()
        with redirect_stdout(written), patch.object(observability, "NAMESPACE", "Lockstep"):
            reply = super().send(*asked, **query)
        for line in map(json.loads, written.getvalue().splitlines()):
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                self.metrics[metric["Name"]][int(self._clock() // MINUTE)] += line[metric["Name"]]
        return reply

    def total(self, name: str) -> float:
        """The sum of a metric over all minutes."""
        return sum(sum(values) for values in self.metrics[name].values())


def lines(widget: dict[str, Any], metrics: Metrics) -> Lines:
    """What a widget shows."""
    found: Lines = {}
    for metric in widget["metrics"]:
        own = metric[-1] if isinstance(metric[-1], dict) else {}
        statistic = own.get("stat", widget["stat"])
        for name in _named(metric, metrics):
            label = name if statistic == "Sum" else f"{name} {statistic}"
            found[label] = [(minute, STATISTICS[statistic](values)) for minute, values in sorted(metrics[name].items())]
    return found


def _named(metric: list[Any], metrics: Metrics) -> Iterator[str]:
    if isinstance(metric[0], dict):
        [prefix] = _SEARCHED.findall(metric[0]["expression"])
        yield from sorted(name for name in metrics if name.startswith(f"{prefix}."))
    elif metric[0] == "Lockstep" and metric[1] in metrics:
        yield metric[1]


def draw(metrics: Metrics, until: float, file: Path) -> None:
    """Draw the dashboard's widgets, for the minutes before a moment."""
    last = int(until // MINUTE)
    widgets = Template().widgets
    figure = Figure(figsize=(11, 1.6 * len(widgets) / 2), layout="constrained")
    for axes, widget in zip(figure.subplots(-(-len(widgets) // 2), 2).flat, widgets, strict=False):
        axes.set_title(widget["title"], fontsize=6, loc="left")
        axes.set(xlim=(last - SHOWN_MINUTES, last), xticks=[])
        axes.tick_params(labelsize=6)
        shown = lines(widget, metrics)
        for label, points in shown.items():
            values = dict(points)
            minutes = range(last - SHOWN_MINUTES, last + 1)
            axes.plot(minutes, [values.get(minute, 0) for minute in minutes], label=label, lw=1)
        if shown:
            axes.legend(ncols=2, fontsize=5, frameon=False, loc="upper left")
        else:
            axes.set(yticks=[])
            axes.text(0.5, 0.5, _why_nothing(widget), transform=axes.transAxes, ha="center", fontsize=7)
    figure.savefig(file, dpi=100)


def _why_nothing(widget: dict[str, Any]) -> str:
    [source, *_] = widget["metrics"][0]
    return f"{source} counts these, on AWS only." if str(source).startswith("AWS/") else "None in these minutes."
