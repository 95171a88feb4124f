"""The page's section of training: how accuracy rose and losses fell, and what features became."""

from collections.abc import Mapping, Sequence

from understudy.results.calling import apart, with_legend
from understudy.results.curves import curves, drawn, losses
from understudy.results.figure import plotted
from understudy.results.finding import setting
from understudy.results.markup import Markup, element, section
from understudy.results.pretrainings import pretrainings
from understudy.results.records import Entry, StudyRecord
from understudy.results.rows import STUDENTS

MOST_APART = 12  # plots of losses; of more settings, those of a name share one


def training(record: StudyRecord, colours: Mapping[str, str]) -> Markup | None:
    """Curves: validation accuracy together, pretrainings, and the losses of each model apart."""
    entries = drawn(record.entries)
    plots = []
    if found := curves(entries, phase="validation", key="top1", colours=colours, share=True):
        plots.append(plotted(found, caption="Validation accuracy"))
    plots += pretrainings(entries, colours)
    together = _together(entries)
    for own in together:
        plots += _in_one(own, colours)
    joined = {id(entry) for own in together for entry in own}
    for title, own in _apart([entry for entry in entries if id(entry) not in joined]).items():
        if found := losses(own, colours=colours):
            plots.append(plotted(found, caption="Loss", note=title))
    if not plots:
        return None
    total = sum(bool(entry.run.history.lines) for entry in record.entries)
    partly = f"{len(entries)} of {total} runs are drawn."
    return section(
        "training",
        "Training",
        element("p", partly, class_="quiet note") if len(entries) < total else None,
        element("div", *plots, class_="figures"),
    )


def _together(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Runs whose losses compare: students of one objective, which read no label, in their settings.

    Where labels are read, a loss stands beside the NLL on validation in a plot of its own.
    """
    alike: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        logged = frozenset(key for line in entry.run.history.lines for key in line)
        if entry.stage in STUDENTS and "nll" not in logged:
            alike.setdefault((entry.node, logged), []).append(entry)
    return [own for own in alike.values() if len({setting(entry.axes) for entry in own}) > 1]


def _in_one(entries: Sequence[Entry], colours: Mapping[str, str]) -> list[Markup]:
    """The losses of runs that differ in their settings: of each one a line of its own colour."""
    called, painted = apart(entries, colours)
    found = curves(
        entries,
        phase="train",
        key="loss",
        colours=painted,
        share=False,
        called=called,
        over="epoch",
    )
    if found is None:
        return []
    found["layout"]["height"] = with_legend(found["layout"]["height"], painted)
    return [
        plotted(found, caption="Loss", note=f"{entries[0].node}, without labels, every setting")
    ]


def _apart(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """The runs of each plot of losses, by its title: a model in one setting of the axes."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.node, []).append(entry)
    found: dict[str, list[Entry]] = {}
    for entry in (entry for own in by_name.values() for entry in own):
        axes = setting(entry.axes)
        found.setdefault(" · ".join(part for part in (entry.node, axes) if part), []).append(entry)
    return found if len(found) <= MOST_APART else by_name
