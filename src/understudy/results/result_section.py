"""The page's sections of results: what came out, and what it costs."""

from collections.abc import Mapping, Sequence

from understudy.results.comparison import Comparison, Line
from understudy.results.cost_plot import accuracy_against
from understudy.results.figure import plotted
from understudy.results.findings import METRICS
from understudy.results.formats import exact
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, section
from understudy.results.plots import accuracies, gains
from understudy.results.quantised import Quantised
from understudy.results.result_tables import (
    axes_of,
    cost_table,
    gains_table,
    legend,
    main_table,
    seeds_table,
)

COSTS_DRAWN = (
    ("parameters", "parameters"),
    ("latency_ms", "latency"),
    ("file_bytes", "file size"),
)


def results(found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """The main table, and the seeds behind it."""
    lines = found.at("last") or found.lines
    if not lines:
        return None
    metric = _metric(lines)
    contrasts = [
        one
        for one in found.contrasts
        if one.checkpoint == lines[0].checkpoint and metric in one.differences
    ]
    checkpoint = f"{lines[0].checkpoint} checkpoint"
    mark = sign(found.rows, metric)
    axes = "".join(f"{name}; " for name in [" · ".join(axes_of(lines))] if name)
    plots = [
        plotted(
            accuracies(lines, metric, colours),
            caption=METRICS[metric].capitalize() + mark,
            note=f"{axes}{checkpoint}; a dot per seed, a bar at the mean",
        )
    ]
    if contrasts:
        several = any(one.differences[metric].n > 1 for one in contrasts)
        paired = "paired by seed, with 95 % intervals" if several else "of one pair each"
        plots.append(
            plotted(
                gains(contrasts, metric),
                caption=f"Difference in {METRICS[metric]}{mark}",
                note=f"{axes}{checkpoint}; {paired}",
            )
        )
    details = element(
        "details", element("summary", "All paired differences"), gains_table(found.contrasts)
    )
    return section(
        "results",
        "Results",
        main_table(found.lines, colours),
        element("p", _reading(found), class_="quiet note"),
        legend(found.lines),
        element("div", *plots, class_="figures"),
        element(
            "details", element("summary", f"{METRICS[metric].capitalize()} seed by seed"), seeds
        )
        if (seeds := seeds_table(found.lines, metric, colours))
        else None,
        details if found.contrasts else None,
    )


def costs(
    found: Comparison, colours: Mapping[str, str], eight_bits: Sequence[Quantised]
) -> Markup | None:
    """What each model costs, and accuracy over parameters, latency and file size."""
    lines = found.at("last") or found.lines
    metric = _metric(lines)
    plots = [
        plotted(
            drawn,
            caption=f"{METRICS[metric].capitalize()}{sign(found.rows, metric)} against {title}",
        )
        for cost, title in COSTS_DRAWN
        if (drawn := accuracy_against(cost, lines, metric, colours))
    ]
    listed = cost_table(lines, colours, eight_bits)
    if not plots and listed is None:
        return None
    return section("cost", "Cost", listed, element("div", *plots, class_="figures small"))


def _metric(lines: Sequence[Line]) -> str:
    """What accuracy means here: on the test split where any model was evaluated there."""
    tested = any(line.cell("test_top1") for line in lines)
    return "test_top1" if tested else "val_top1"


def _reading(found: Comparison) -> str:
    seeds = max(len(line.rows) for line in found.lines)
    spread = (
        "± is the standard deviation over seeds." if seeds > 1 else "One seed, so no ± is shown."
    )
    labels = {cell.mean for line in found.lines if (cell := line.cell("labels"))}
    equally = f" Every model used {exact(labels.pop())} labels." if len(labels) == 1 else ""
    return (
        f"{spread} “last” is the end of training; “best” did best on validation. Neither was "
        f"chosen by test images.{equally}"
    )
