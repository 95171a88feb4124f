"""Plots of results: accuracy seed by seed, and paired gains."""

from collections.abc import Mapping, Sequence

from understudy.results.comparison import Contrast, Line
from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.finding import place, telling
from understudy.results.formats import percent, points
from understudy.results.tables import Cell, value_of

EDGE = 74  # pixels around the rows
FEW, MANY = 40, 26  # pixels of a row, where there are few or many
MOST_ROWS = 120  # three screens; the tables hold the rest
AGAINST = {
    "baseline": "var(--accent)",
    "teacher": "var(--teacher)",
    "member": "var(--teacher)",
    "reference": "var(--series-1)",
}
"""Colours of gains, by what they are gains over."""


def label(line: Line, among: Sequence[Line]) -> str:
    """What tells a line from the others in a plot."""
    where = place(line, among)
    return f"{line.name} · {where}" if where else line.name


def row_of(thing: Line | Contrast, among: Sequence[Line | Contrast]) -> str:
    """The values of the axes, where there are any: the row that holds all models of a setting."""
    studies, axes = {other.study for other in among}, telling(among)
    values = [value for axis, value in thing.axes.items() if axis in axes]
    return " · ".join([*([thing.study] if len(studies) > 1 else []), *values])


def accuracies(lines: Sequence[Line], metric: str, colours: Mapping[str, str]) -> Figure:
    """A bar at each mean and a dot per seed; a row per model, or per setting of the axes."""
    names = [row_of(line, lines) or line.name for line in lines]
    rows = {name: place for place, name in enumerate(dict.fromkeys(names))}
    placed = [(line, rows[name]) for line, name in zip(lines, names, strict=True)]
    placed = [(line, row) for line, row in placed if row < MOST_ROWS]
    seeds = [
        (value, row, colours[line.name], f"{line.name}, seed {one.seed}: {percent(value)}")
        for line, row in placed
        for one in line.rows
        if (value := value_of(one, metric)) is not None
    ]
    means = [
        (cell.mean, row, colours[line.name], f"{label(line, lines)}: {spread(cell)}")
        for line, row in placed
        if (cell := line.cell(metric))
    ]
    told = dict.fromkeys(line.name for line in lines)
    several = len(told) > 1 and any(row_of(line, lines) for line in lines)  # rows name no model
    shown = told if several else {}
    return figure(
        [_dots(seeds), _bars(means, reach=None), *(_key(name, colours[name]) for name in shown)],
        height=_height(rows),
        x={**SHARE, "nticks": 7},
        y=_named(rows),
        showlegend=several,
    )


def gains(contrasts: Sequence[Contrast], metric: str) -> Figure:
    """A bar at each mean with its 95 % interval and a dot per seed, in percentage points."""
    settings = len({row_of(one, contrasts) for one in contrasts}) > 1
    names = [row_of(one, contrasts) if settings else one.title for one in contrasts]
    rows = {name: place for place, name in enumerate(dict.fromkeys(names))}
    placed = [
        (one, rows[name], AGAINST[one.role] if settings else AGAINST["baseline"])
        for one, name in zip(contrasts, names, strict=True)
        if rows[name] < MOST_ROWS
    ]
    seeds = [
        (100 * value, row, colour, f"seed {seed}: {points(value)} points")
        for one, row, colour in placed
        for found in [one.differences[metric]]
        for value, seed in zip(found.values, found.seeds, strict=True)
    ]
    means, reach = [], []
    for one, row, colour in placed:
        found = one.differences[metric]
        told = f"{one.title}: {points(found.mean)} points"
        means.append((100 * found.mean, row, colour, told))
        reach.append(0.0 if found.high is None else 100 * (found.high - found.mean))
    roles = dict.fromkeys(one.role for one in contrasts) if settings else {}
    zero = {
        "type": "line",
        "x0": 0,
        "x1": 0,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "above",
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"},
    }
    return figure(
        [
            _dots(seeds),
            _bars(means, reach=reach),
            *(
                _key(f"over the {role}s" if role == "member" else f"over the {role}", AGAINST[role])
                for role in roles
            ),
        ],
        height=_height(rows),
        x={"title": titled("percentage points"), "nticks": 7, "rangemode": "tozero"},
        y=_named(rows),
        shapes=[zero],
        showlegend=len(roles) > 1,
    )


Mark = tuple[float, int, str, str]
"""Value, row, colour and what the pointer is told."""


def _dots(marks: Sequence[Mark]) -> Figure:
    return {
        **_marks(marks),
        "marker": {"size": 9, "opacity": 0.5, "color": [colour for _, _, colour, _ in marks]},
    }


def _bars(marks: Sequence[Mark], *, reach: Sequence[float] | None) -> Figure:
    colours = [colour for _, _, colour, _ in marks]
    marker = {"symbol": "line-ns", "size": 20, "line": {"width": 3, "color": colours}}
    bars = {**_marks(marks), "marker": marker}
    if reach is not None and any(reach):
        bars["error_x"] = {
            "type": "data",
            "array": list(reach),
            "color": "var(--quiet)",
            "thickness": 1.5,
            "width": 4,
        }
    return bars


def _marks(marks: Sequence[Mark]) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value for value, _, _, _ in marks],
        "y": [row for _, row, _, _ in marks],
        "text": [plain(told, most=200) for _, _, _, told in marks],
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _key(name: str, colour: str) -> Figure:
    """An entry of the legend."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": plain(name),
        "marker": {"size": 9, "color": colour},
    }


def _height(rows: Mapping[str, int]) -> int:
    count = min(len(rows), MOST_ROWS)
    return EDGE + count * (FEW if count <= 12 else MANY) + 24


def _named(rows: Mapping[str, int]) -> Figure:
    """A vertical axis of names, the first on top."""
    count = min(len(rows), MOST_ROWS)
    return {
        "tickvals": list(range(count)),
        "ticktext": [plain(name, most=34) for name in list(rows)[:count]],
        "range": [count - 0.5, -0.5],
        "showgrid": False,
        "tickfont": {"color": "var(--ink)"},
    }


def spread(cell: Cell | None) -> str:
    """`53.4 % ± 0.5 (3)`; one run is shown without ±."""
    if cell is None:
        return percent(None)
    sd = "" if cell.sd is None else f" ± {100 * cell.sd:.1f}"
    return f"{percent(cell.mean)}{sd} ({cell.n})"
