"""The dashboard of template.yaml, drawn with what the functions counted while the pictures' story was told.

CloudWatch draws the same widgets from the same log lines. What API Gateway, Lambda and DynamoDB count themselves is not
there on one machine; widgets that show it say so.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from html import escape
from io import StringIO
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from local.template import Template
from lockstep import observability
from tests.conformance.recording import Player

MINUTE: Final = 60
SHOWN_MINUTES: Final = 20
WIDTH, HEIGHT = 500, 130
COLOURS: Final = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf")
STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "p50": median,
    "p99": max,  # of fewer than a hundred values
}
_SEARCHED: Final = re.compile(r"MetricName=(\w+)")
_STYLE: Final = """
body { margin: 12px; font: 12px system-ui, sans-serif; color: #16191f; background: #f2f3f3;
  display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
section { background: #fff; border: 1px solid #d5dbdb; padding: 8px 12px; }
h2 { font-size: 13px; margin: 0 0 6px; }
p { color: #545b64; margin: 8px 0; }
li { display: inline-block; margin-right: 12px; }
ul { list-style: none; margin: 4px 0 0; padding: 0; }
"""

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


def document(metrics: Metrics, until: float) -> str:
    """The dashboard as HTML, for the minutes before a moment."""
    last = int(until // MINUTE)
    parts = "".join(_widget(widget, lines(widget, metrics), last) for widget in Template().widgets)
    return f"<!doctype html><html lang=en><title>Dashboard</title><style>{_STYLE}</style><body>{parts}</body></html>"


def _widget(widget: dict[str, Any], shown: Lines, last: int) -> str:
    drawn = f"{_chart(shown, last)}<ul>{_legend(shown)}</ul>" if shown else f"<p>{_why_nothing(widget)}</p>"
    return f"<section><h2>{escape(widget['title'])}</h2>{drawn}</section>"


def _why_nothing(widget: dict[str, Any]) -> str:
    [source, *_] = widget["metrics"][0]
    aws = str(source).startswith("AWS/")
    return f"{escape(source)} counts these, on AWS only." if aws else "None in these minutes."


def _legend(shown: Lines) -> str:
    return "".join(
        f"<li><span style='color: {colour}'>■</span> {escape(name)}</li>"
        for name, colour in zip(shown, _colours(shown), strict=True)
    )


def _colours(shown: Lines) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number, _ in enumerate(shown)]


def _chart(shown: Lines, last: int) -> str:
    most = max(value for points in shown.values() for _, value in points) or 1
    paths = "".join(
        f"<polyline fill=none stroke='{colour}' stroke-width=2 points='{_points(dict(points), last, most)}'/>"
        for points, colour in zip(shown.values(), _colours(shown), strict=True)
    )
    axis = f"<text x=0 y=10>{most:,.4g}</text><text x=0 y={HEIGHT}>0</text>"
    return f"<svg viewBox='0 0 {WIDTH} {HEIGHT + 4}' font-size=10 role=img aria-label=chart>{axis}{paths}</svg>"


def _points(values: dict[int, float], last: int, most: float) -> str:
    room = HEIGHT - 4
    return " ".join(
        f"{40 + (WIDTH - 40) * place / SHOWN_MINUTES:.1f},{HEIGHT - room * values.get(minute, 0) / most:.1f}"
        for place, minute in enumerate(range(last - SHOWN_MINUTES, last + 1))
    )
