"""Plots of training: a figure of the log by step or epoch, and losses."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean

from understudy.results.figure import SHARE, Figure, figure, plain, titled
from understudy.results.finding import setting
from understudy.results.history import Over, Point, thinned
from understudy.results.records import Entry

MOST_LINES = 400  # a plot with more shows nothing more
MOST_POINTS = 24_000  # in one plot, so that 180 runs stay quick to draw
LEAST, MOST = 24, 300  # points of one line
PALE = 0.25  # of a run behind the mean of its seeds
DASHES = (None, "dash", "dot", "dashdot")  # tell names of one colour apart


def node(entry: Entry) -> str:
    """What the study calls the run."""
    return entry.node


def drawn(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with a log, at most `MOST_LINES`, evenly chosen."""
    runs = {entry.run.path: entry for entry in entries if entry.run.history.lines}
    found = list(runs.values())
    stride = -(-len(found) // MOST_LINES) or 1
    return found[::stride]


def curves(
    entries: Sequence[Entry],
    *,
    phase: str,
    key: str,
    colours: Mapping[str, str],
    share: bool,
    called: Callable[[Entry], str] = node,
    over: Over = "step",
) -> Figure | None:
    """One line per run, one colour per name; None where no run logged the figure.

    Where several names are drawn and runs of one differ in their seed alone, their mean is the
    line to read, and the runs stand pale behind it.

    Args:
        entries: Runs to draw.
        phase: Of the log: train or validation.
        key: Of the log: loss, top1, ...
        colours: By name.
        share: Whether the figure is a share, 0-1.
        called: A run's name here; runs of one name share a colour.
        over: Along what.
    """
    found = [
        (entry, series)
        for entry in entries
        if len(series := entry.run.history.series(phase=phase, key=key, over=over)) > 1
    ]
    if not found:
        return None
    most = min(MOST, max(LEAST, MOST_POINTS // len(found)))
    longest = max(series[-1][0] for _, series in found)
    names = list(dict.fromkeys(called(entry) for entry, _ in found))
    means = _means(found, called) if len(names) > 1 else {}
    drawn = _traces(found, most=most, lines=lines_of(names, colours), called=called, means=means)
    value = "%{y:.1%}" if share else "%{y:.4g}"
    return figure(
        [_told(line, f"{over} %{{x}}: {value}") for line in drawn],
        height=320 if share else 250,
        x={"title": titled(over), "nticks": 7, "range": [0, 1.02 * longest]},
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


def lines_of(names: Sequence[str], colours: Mapping[str, str]) -> dict[str, Figure]:
    """How the line of each name is drawn; where colours come round again, dashes tell."""
    seen: Counter[str] = Counter()
    found: dict[str, Figure] = {}
    for name in names:
        colour = colours[name]
        dash = DASHES[seen[colour] % len(DASHES)]
        found[name] = {"color": colour, **({"dash": dash} if dash else {})}
        seen[colour] += 1
    return found


def _means(
    found: Sequence[tuple[Entry, list[Point]]], called: Callable[[Entry], str]
) -> dict[str, tuple[int, list[Point]]]:
    """By name, of how many runs and their mean, where these differ in nothing but their seed.

    A place counts where all of them have it, so that no run leaves the mean on the way.
    """
    by_name: dict[str, list[tuple[Entry, list[Point]]]] = {}
    for entry, series in found:
        by_name.setdefault(called(entry), []).append((entry, series))
    means: dict[str, tuple[int, list[Point]]] = {}
    for name, own in by_name.items():
        settings = {(entry.node, setting(entry.axes)) for entry, _ in own}
        runs = [dict(series) for _, series in own]
        places = [place for place in runs[0] if all(place in run for run in runs)]
        if len(settings) == 1 < len(runs) and len(places) > 1:
            mean = [(place, fmean(run[place] for run in runs)) for place in places]
            means[name] = (len(runs), mean)
    return means


def _traces(
    found: Sequence[tuple[Entry, list[Point]]],
    *,
    most: int,
    lines: Mapping[str, Figure],
    called: Callable[[Entry], str],
    means: Mapping[str, tuple[int, list[Point]]],
) -> Iterator[Figure]:
    seen = set(means)
    crowded = len(found) > 24
    for entry, series in found:
        name = called(entry)
        pale = name in means
        axes = "".join(f", {axis} {value}" for axis, value in entry.axes.items())
        yield {
            **_line(name, thinned(series, most=most)),
            "showlegend": name not in seen,
            "line": {**lines[name], "width": 1 if crowded or pale else 1.75},
            "opacity": PALE if pale else 0.4 if crowded else 0.85,
            "hovertemplate": f"{plain(entry.node)}, seed {entry.seed}{plain(axes)}",
        }
        seen.add(name)
    for name, (runs, series) in means.items():
        yield {
            **_line(name, thinned(series, most=most)),
            "showlegend": True,
            "line": {**lines[name], "width": 2},
            "hovertemplate": f"{plain(name)}, mean of {runs} seeds",
        }


def _told(line: Figure, value: str) -> Figure:
    return {**line, "hovertemplate": f"{line['hovertemplate']}<br>{value}<extra></extra>"}


def _line(name: str, points: Sequence[Point]) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plain(name),
        "legendgroup": plain(name),
        "x": [round(place, 4) for place, _ in points],  # an epoch has many steps
        "y": [float(f"{number:.5g}") for _, number in points],
    }
