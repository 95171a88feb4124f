"""Plots of pretrainings: what their features are worth, and how these lie in their space."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from understudy.results.calling import apart, with_legend
from understudy.results.curves import curves, lines_of
from understudy.results.figure import Figure, figure, plain, plotted, titled
from understudy.results.history import Point
from understudy.results.markup import Markup
from understudy.results.records import Entry


class Told(NamedTuple):
    """A figure of the log that has a plot over epochs."""

    key: str
    caption: str
    note: str
    share: bool
    tells_collapse: bool = False


FIGURES = (
    Told("knn_top1", "k-NN accuracy", "of the frozen features, in training without labels", True),
    Told("linear_top1", "Linear probe accuracy", "of the frozen features", share=True),
    Told("spread", "Spread of the features", "100 %: all directions alike", True, True),
    Told("projected_spread", "Spread of the projections", "where collapse shows first", True, True),
    Told("groups", "Groups of images", "told apart by assignments to prototypes", False, True),
    Told("effective_rank", "Effective rank", "dimensions that the features fill", share=False),
)
HEIGHT = 320  # pixels of each, so that they stand in rows


def pretrainings(entries: Sequence[Entry], colours: Mapping[str, str]) -> list[Markup]:
    """The plots of the runs that watched their features; none where there is no such run.

    Args:
        entries: Runs to draw.
        colours: By the study's name for a run; where axes tell runs of one name apart, each
            setting has its own colour.
    """
    found = [entry for entry in entries if _series(entry, "knn_top1") or _series(entry, "spread")]
    called, painted = apart(found, colours)
    plots = []
    for told in FIGURES:
        drawn = curves(
            found,
            phase="validation",
            key=told.key,
            colours=painted,
            share=told.share,
            called=called,
            over="epoch",
        )
        if drawn is None:
            continue
        drawn["layout"]["height"] = with_legend(HEIGHT, painted)
        if told.tells_collapse:
            drawn["data"] += _collapsed(found, told.key)
        plots.append(plotted(drawn, caption=told.caption, note=told.note))
    if paths := _paths(found, lines_of(list(painted), painted), called):
        note = "left: images fill directions evenly; low: views of an image agree; dot: the end"
        paths["layout"]["height"] = with_legend(HEIGHT, painted)
        plots.append(plotted(paths, caption="Alignment against uniformity", note=note))
    return plots


def _series(entry: Entry, key: str) -> list[Point]:
    return entry.run.history.series(phase="validation", key=key, over="epoch")


def _collapsed(entries: Sequence[Entry], key: str) -> list[Figure]:
    """Crosses where a run was told to have collapsed; nothing where none was."""
    marks = [
        (epoch, values[epoch])
        for entry in entries
        for values in [dict(_series(entry, key))]
        for epoch, narrow in _series(entry, "collapsed")
        if narrow and epoch in values
    ]
    if not marks:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "collapsed",
            "x": [round(epoch, 4) for epoch, _ in marks],
            "y": [float(f"{value:.5g}") for _, value in marks],
            "marker": {"symbol": "x", "size": 8, "color": "var(--bad)"},
            "hovertemplate": "collapsed<extra></extra>",
        }
    ]


def _paths(
    entries: Sequence[Entry], lines: Mapping[str, Figure], called: Callable[[Entry], str]
) -> Figure | None:
    """A line per run through (uniformity, alignment), as in Wang and Isola's figures."""
    traces: list[Figure] = []
    seen: set[str] = set()
    for entry in entries:
        across, down = _series(entry, "uniformity"), _series(entry, "alignment")
        if len(across) < 2 or len(across) != len(down):
            continue
        name = called(entry)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": plain(name),
                "legendgroup": plain(name),
                "showlegend": name not in seen,
                "x": [float(f"{value:.5g}") for _, value in across],
                "y": [float(f"{value:.5g}") for _, value in down],
                "line": {**lines[name], "width": 1},
                "marker": {"size": [*[3] * (len(across) - 1), 10], "color": lines[name]["color"]},
                "text": [f"epoch {epoch:.1f}" for epoch, _ in across],
                "hovertemplate": (
                    f"{plain(name)}, seed {entry.seed}, %{{text}}<br>"
                    "uniformity %{x:.3g}, alignment %{y:.3g}<extra></extra>"
                ),
            }
        )
        seen.add(name)
    if not traces:
        return None
    return figure(
        traces,
        height=HEIGHT,
        x={"title": titled("uniformity"), "nticks": 7},
        y={"title": titled("alignment"), "nticks": 7, "rangemode": "tozero"},
        showlegend=len(seen) > 1,
    )
