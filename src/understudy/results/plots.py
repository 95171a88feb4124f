"""Plots of results: accuracy seed by seed, paired gains, and what accuracy costs."""

from collections.abc import Mapping, Sequence

from understudy.results.comparison import Contrast, Line
from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.finding import setting
from understudy.results.formats import count, milliseconds, percent, points
from understudy.results.tables import Cell

ROW, EDGE = 40, 74  # pixels: one line of a plot, and its axis
MOST_LABELS = 8  # names written beside points; more would overlap


def label(line: Line, among: Sequence[Line]) -> str:
    """What tells a line from the others in a plot."""
    parts = [line.name, setting(line.axes)]
    parts += [line.study] if len({other.study for other in among}) > 1 else []
    return " · ".join(part for part in parts if part)


def accuracies(lines: Sequence[Line], metric: str, colours: Mapping[str, str]) -> Figure:
    """One row per line: a tick at the mean, a point per seed."""
    places = list(range(len(lines)))
    cells = [line.cell(metric) for line in lines]
    means = {
        "type": "scatter",
        "mode": "markers",
        "x": [cell.mean if cell else None for cell in cells],
        "y": places,
        "marker": {
            "symbol": "line-ns",
            "size": 22,
            "line": {"width": 3, "color": [colours[line.name] for line in lines]},
        },
        "hovertemplate": "%{text}<extra></extra>",
        "text": [
            f"{plain(label(line, lines))}: {spread(cell)}"
            for line, cell in zip(lines, cells, strict=True)
        ],
    }
    seeds = [
        (getattr(row, metric), place, colours[line.name], row.seed)
        for place, line in enumerate(lines)
        for row in line.rows
        if getattr(row, metric) is not None
    ]
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [value for value, *_ in seeds],
        "y": [place for _, place, *_ in seeds],
        "marker": {"size": 9, "opacity": 0.55, "color": [colour for *_, colour, _ in seeds]},
        "hovertemplate": "%{text}<extra></extra>",
        "text": [f"seed {seed}: {percent(value)}" for value, _, _, seed in seeds],
    }
    return figure(
        [dots, means],
        height=EDGE + ROW * len(lines),
        x={**SHARE, "nticks": 6},
        y=_named([label(line, lines) for line in lines]),
    )


def _named(names: Sequence[str]) -> Figure:
    """A vertical axis of names, the first on top."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [plain(name, most=34) for name in names],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "tickfont": {"color": "var(--ink)"},
    }


def spread(cell: Cell | None) -> str:
    """`53.4 % ± 0.5 (3)`; one run is shown without ±."""
    if cell is None:
        return percent(None)
    sd = "" if cell.sd is None else f" ± {100 * cell.sd:.1f}"
    return f"{percent(cell.mean)}{sd} ({cell.n})"


def gains(contrasts: Sequence[Contrast], metric: str) -> Figure:
    """One row per pair: a point per seed, the mean, and its 95 % interval, in points."""
    found = [(one, one.differences[metric]) for one in contrasts]
    names = [
        " · ".join(
            part for part in (f"{one.of.name} − {one.against.name}", setting(one.axes)) if part
        )
        for one, _ in found
    ]
    pairs = [
        (100 * value, place, seed)
        for place, (_, difference) in enumerate(found)
        for value, seed in zip(difference.values, difference.seeds, strict=True)
    ]
    seeds = {
        "type": "scatter",
        "mode": "markers",
        "x": [value for value, _, _ in pairs],
        "y": [place for _, place, _ in pairs],
        "marker": {"size": 9, "opacity": 0.45, "color": "var(--accent)"},
        "hovertemplate": "%{text}<extra></extra>",
        "text": [f"seed {seed}: {points(value / 100)} points" for value, _, seed in pairs],
    }
    reach = [
        100 * (difference.high - difference.mean) if difference.high is not None else 0
        for _, difference in found
    ]
    means = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * difference.mean for _, difference in found],
        "y": list(range(len(found))),
        "marker": {
            "symbol": "line-ns",
            "size": 22,
            "line": {"width": 3, "color": "var(--accent)"},
        },
        "error_x": {"type": "data", "array": reach, "color": "var(--accent)", "thickness": 1.5},
        "hovertemplate": "%{text}<extra></extra>",
        "text": [
            f"{plain(name)}: {points(one.mean)}"
            for name, (_, one) in zip(names, found, strict=True)
        ],
    }
    zero = {
        "type": "line",
        "x0": 0,
        "x1": 0,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"},
    }
    return figure(
        [seeds, means],
        height=EDGE + ROW * len(found),
        x={"title": titled("percentage points"), "nticks": 6, "rangemode": "tozero"},
        y=_named(names),
        shapes=[zero],
    )


COSTS = {"parameters": ("parameters", count), "latency_ms": ("ms per image", milliseconds)}


def accuracy_against(
    cost: str, lines: Sequence[Line], metric: str, colours: Mapping[str, str]
) -> Figure | None:
    """Accuracy over a cost; None with fewer than two points."""
    title, shown = COSTS[cost]
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
            "text": [plain(line.name) for line, _, _ in found if line.name == name],
            "textposition": "top center",
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
    x = {"type": "log", "title": titled(title), "dtick": "D2" if _narrow(found) else 1}
    return figure(
        traces,
        height=340,
        x={**x, "exponentformat": "SI"},
        y={**SHARE, "nticks": 6},
        showlegend=not few,
    )


def _narrow(found: Sequence[tuple[Line, Cell, Cell]]) -> bool:
    """Whether the costs lie within a factor of 20, too few for a tick per power of ten."""
    prices = [price.mean for _, price, _ in found]
    return max(prices) < 20 * min(prices)
