"""Plots by class: the confusion matrix, and each class before and after distillation."""

from collections.abc import Sequence

from understudy.results.classes import Classes, ClassFigures
from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.formats import exact, percent

MOST_CLASSES = 40  # a matrix with more cannot be read, and makes a heavy page
MOST_WRITTEN = 12  # classes up to which the cells have room for their figures


def confusion(classes: Classes) -> Figure:
    """Shares of each class's images by answer; rows add up to 1."""
    sums = [sum(row) for row in classes.confusion]
    shares = [
        [value / total if total else 0.0 for value in row]
        for row, total in zip(classes.confusion, sums, strict=True)
    ]
    names, count = [plain(name) for name in classes.names], len(classes.names)
    places = list(range(count))
    heat = {
        "type": "heatmap",
        "z": [[round(share, 4) for share in row] for row in shares],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, "var(--surface)"], [1, "var(--accent)"]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertext": [
            [
                f"{names[row]} answered as {names[column]}: {percent(shares[row][column])} "
                f"({exact(classes.confusion[row][column])} of {exact(sums[row])})"
                for column in places
            ]
            for row in places
        ],
        "hoverinfo": "text",
    }
    if count <= MOST_WRITTEN:
        heat["text"] = [
            [f"{100 * share:.0f}" if share >= 0.005 else "" for share in row] for row in shares
        ]
        heat["texttemplate"] = "%{text}"
    short = [plain(name, most=14) for name in classes.names]
    axis: Figure = {"tickvals": places, "ticktext": short, "showgrid": False}
    return figure(
        [heat],
        height=150 + 30 * max(8, min(count, 24)),
        x={**axis, "title": titled("answer"), "tickangle": -45 if max(map(len, short)) > 3 else 0},
        y={**axis, "title": titled("class"), "autorange": "reversed"},
    )


def recalls(figures: Sequence[ClassFigures], *, of: str, against: str) -> Figure:
    """Each class's recall of both models, the largest gain on top."""
    known = [one for one in figures if one.recall is not None]
    ordered = sorted(known, key=lambda one: (one.before or 0.0) - (one.recall or 0.0))
    places = list(range(len(ordered)))
    both = [one for one in ordered if one.before is not None]
    bridges = {
        "type": "scatter",
        "mode": "lines",
        "x": [value for one in both for value in (one.before, one.recall, None)],
        "y": [place for one in both for place in (ordered.index(one),) * 2 + (None,)],
        "line": {"color": "var(--line)", "width": 3},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    before = _dots(against, "var(--baseline)", [one.before for one in ordered], ordered)
    after = _dots(of, "var(--accent)", [one.recall for one in ordered], ordered)
    return figure(
        [bridges, *([before] if both else []), after],
        height=100 + 30 * max(8, len(ordered)),
        x={**SHARE, "nticks": 7, "title": titled("recall")},
        y={
            "tickvals": places,
            "ticktext": [plain(one.name, most=18) for one in ordered],
            "range": [len(ordered) - 0.5, -0.5],
            "showgrid": False,
            "tickfont": {"color": "var(--ink)"},
        },
        showlegend=bool(both),
    )


def _dots(
    name: str, colour: str, values: Sequence[float | None], ordered: Sequence[ClassFigures]
) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": plain(name),
        "x": list(values),
        "y": list(range(len(ordered))),
        "marker": {"size": 11, "color": colour},
        "text": [
            f"{plain(one.name)}, {plain(name)}: {percent(value)}"
            for one, value in zip(ordered, values, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
