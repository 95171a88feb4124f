"""Plots of training: losses, validation accuracy and k-NN accuracy by step."""

from collections.abc import Iterator, Mapping, Sequence

from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.history import Point, thinned
from understudy.results.records import Entry

MOST_LINES = 400  # a plot with more shows nothing more
MOST_POINTS = 24_000  # in one plot, so that 180 runs stay quick to draw
LEAST, MOST = 24, 300  # points of one line


def drawn(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with a log, at most `MOST_LINES`, evenly chosen."""
    runs = {entry.run.path: entry for entry in entries if entry.run.history.lines}
    found = list(runs.values())
    stride = -(-len(found) // MOST_LINES) or 1
    return found[::stride]


def curves(
    entries: Sequence[Entry], *, phase: str, key: str, colours: Mapping[str, str], share: bool
) -> Figure | None:
    """One line per run, one colour per name; None where no run logged the figure.

    Args:
        entries: Runs to draw.
        phase: Of the log: train or validation.
        key: Of the log: loss, top1, ...
        colours: By name.
        share: Whether the figure is a share, 0-1.
    """
    found = [
        (entry, series)
        for entry in entries
        if len(series := entry.run.history.series(phase=phase, key=key)) > 1
    ]
    if not found:
        return None
    most = min(MOST, max(LEAST, MOST_POINTS // len(found)))
    longest = max(series[-1][0] for _, series in found)
    names = list(dict.fromkeys(entry.node for entry, _ in found))
    return figure(
        list(_traces(found, most=most, colours=colours, share=share)),
        height=320 if share else 250,
        x={"title": titled("step"), "nticks": 7, "range": [0, 1.02 * longest]},
        y={**(SHARE if share else {}), "nticks": 7},
        showlegend=len(names) > 1,
    )


def losses(entries: Sequence[Entry], *, colours: Mapping[str, str]) -> Figure | None:
    """The loss of training, and the NLL on validation as a dotted line where it was looked at.

    Args:
        entries: Runs of one name, to be drawn together.
        colours: By name.
    """
    drawn = curves(entries, phase="train", key="loss", colours=colours, share=False)
    seen = curves(entries, phase="validation", key="nll", colours=colours, share=False)
    if drawn is None or seen is None:
        return drawn
    names = {"training loss": drawn["data"], "validation NLL": seen["data"]}
    for name, traces in names.items():
        for trace in traces:
            trace["name"] = trace["legendgroup"] = name
    for trace in seen["data"]:
        trace["line"]["dash"] = "dot"
    drawn["data"] += seen["data"]
    drawn["layout"]["showlegend"] = True
    return drawn


def _traces(
    found: Sequence[tuple[Entry, list[Point]]],
    *,
    most: int,
    colours: Mapping[str, str],
    share: bool,
) -> Iterator[Figure]:
    seen: set[str] = set()
    crowded = len(found) > 24
    for entry, series in found:
        few = thinned(series, most=most)
        axes = "".join(f", {axis} {value}" for axis, value in entry.axes.items())
        value = "%{y:.1%}" if share else "%{y:.4g}"
        yield {
            "type": "scatter",
            "mode": "lines",
            "name": plain(entry.node),
            "legendgroup": plain(entry.node),
            "showlegend": entry.node not in seen,
            "x": [round(step, 1) for step, _ in few],
            "y": [float(f"{number:.5g}") for _, number in few],
            "line": {"color": colours[entry.node], "width": 1 if crowded else 1.75},
            "opacity": 0.4 if crowded else 0.85,
            "hovertemplate": (
                f"{plain(entry.node)}, seed {entry.seed}{plain(axes)}<br>"
                f"step %{{x}}: {value}<extra></extra>"
            ),
        }
        seen.add(entry.node)
