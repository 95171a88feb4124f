"""The plot of what accuracy costs."""

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10

from understudy.results.comparison import Line
from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.formats import count, milliseconds, size
from understudy.results.plots import label, spread

MOST_LABELS = 8  # names written beside points; more would overlap
COSTS: dict[str, tuple[str, Callable[[float], str], Callable[[float], str]]] = {
    "parameters": ("parameters", count, lambda tick: count(tick).replace(".0 ", " ")),
    "file_bytes": ("of the exported file", size, lambda tick: size(tick).replace(".0 ", " ")),
    "latency_ms": ("ms per image", milliseconds, lambda tick: f"{tick:g}"),
}
"""Title of the axis, and how values and ticks are written."""


def accuracy_against(
    cost: str, lines: Sequence[Line], metric: str, colours: Mapping[str, str]
) -> Figure | None:
    """Accuracy over a cost; None with fewer than two points."""
    title, shown, ticked = COSTS[cost]
    found = [
        (line, price, cell)
        for line in lines
        if (price := line.cell(cost)) and (cell := line.cell(metric)) and price.mean > 0
    ]
    if len(found) < 2:
        return None
    few = len(found) <= MOST_LABELS
    traces = [
        {
            "type": "scatter",
            "mode": "markers+text" if few else "markers",
            "name": plain(name),
            "x": [price.mean for line, price, _ in found if line.name == name],
            "y": [cell.mean for line, _, cell in found if line.name == name],
            "error_y": {
                "type": "data",
                "array": [cell.sd or 0 for line, _, cell in found if line.name == name],
                "color": colours[name],
                "thickness": 1.5,
                "width": 4,
            },
            "marker": {"size": 12, "color": colours[name]},
            "text": [f"  {plain(line.name)}" for line, _, _ in found if line.name == name],
            "textposition": "middle right",
            "textfont": {"color": colours[name]},
            "hovertext": [
                f"{plain(label(line, lines))}: {spread(cell)}, {shown(price.mean)} {title}"
                for line, price, cell in found
                if line.name == name
            ],
            "hoverinfo": "text",
        }
        for name in dict.fromkeys(line.name for line, _, _ in found)
    ]
    return figure(
        traces,
        height=340,
        x={**_logarithmic([price.mean for _, price, _ in found], ticked), "title": titled(title)},
        y={**SHARE, "nticks": 7},
        showlegend=not few,
    )


def _logarithmic(values: Sequence[float], ticked: Callable[[float], str]) -> Figure:
    """A logarithmic axis with room for names at its end; ticks at 1, 2, 5 or at powers of ten."""
    least, most = log10(min(values)), log10(max(values))
    low, high = least - 0.25 - 0.05 * (most - least), most + 0.35 + 0.25 * (most - least)
    steps = (1, 2, 5) if high - low < 2 else (1,)
    ticks = [
        step * 10.0**power
        for power in range(floor(low), floor(high) + 1)
        for step in steps
        if low <= log10(step * 10.0**power) <= high
    ]
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [ticked(tick) for tick in ticks],
    }
