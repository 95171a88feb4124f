"""The page's section on frozen features: k-NN and linear probes, by one protocol for all."""

from collections.abc import Mapping

from understudy.results.comparison import Comparison
from understudy.results.figure import plotted
from understudy.results.formats import ABSENT, exact, hundredths, points
from understudy.results.frozen import (
    LABELS,
    Standing,
    average,
    columns,
    held_to_others,
    is_main,
    short,
    standings,
)
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, section
from understudy.results.plots import accuracies, gains
from understudy.results.probes import LINEAR, LINEAR_TOP5
from understudy.results.result_tables import axes_of, figure_of, gains_table, swatch

READING = (
    "Per cent of the test images. The network stays as it is: features of clean images are "
    "compared with those of labelled training images (k-NN, with so many neighbours) or classified "
    "by a linear probe, whose regularisation validation labels chose; always of the last "
    "checkpoint. “top-5”, “at 10 %” and “at 1 %” are of that probe, the latter with such a share "
    "of the labels, those of validation too. Labels are those that the probe knows and those that "
    "the network itself has seen, validation labels among them."
)


def frozen(found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """Every probed model, what it has of its teacher, and its gains; None without any."""
    if not found.frozen:
        return None
    told = [one for one in found.frozen_contrasts if LINEAR in one.differences]
    mark = sign(found.rows, LINEAR)
    plots = [
        plotted(
            accuracies(found.frozen, LINEAR, colours),
            caption=f"Accuracy of a linear probe{mark}",
            note="all labels; a dot per seed, a bar at the mean",
        )
    ]
    if told:
        plots.append(
            plotted(
                gains(told, LINEAR),
                caption=f"Difference in linear accuracy{mark}",
                note="paired by seed, with 95 % intervals where there are several",
            )
        )
    metrics = {name: what.title for name, what in columns(found.frozen)}
    return section(
        "frozen",
        "Frozen features",
        _table(found, colours),
        element("p", READING, class_="quiet note"),
        _top5(found, colours),
        element("div", *plots, class_="figures"),
        element(
            "details",
            element("summary", "All paired differences of probes"),
            gains_table(found.frozen_contrasts, metrics),
        )
        if found.frozen_contrasts
        else None,
    )


def _table(found: Comparison, colours: Mapping[str, str]) -> Markup:
    every = standings(found)
    axes, metrics = axes_of(found.frozen), columns(found.frozen)
    with_teacher = any(one.of_teacher for one in every)
    with_baseline = any(one.over_baseline for one in every)
    heads = [
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Seeds"),
        *(Column(short(what), help=what.title, aside=not is_main(what)) for _, what in metrics),
        *([Column("% of teacher", help="Of its linear accuracy, seed by seed")] * with_teacher),
        *([Column("Over baseline", help="Points of linear accuracy")] * with_baseline),
        Column(
            "Labels",
            help="Of the probe with all labels, and of the network itself",
            aside=len({cell.mean for line in found.frozen if (cell := line.cell(LABELS))}) == 1,
        ),
    ]
    records = [
        Record(
            [
                Datum(swatch(one.line.name, colours)),
                *(Datum(one.line.axes.get(axis, ABSENT)) for axis in axes),
                Datum(str(seeds := len({row.run for row in one.line.rows})), value=seeds),
                *(figure_of(one.line, name, hundredths, seeds) for name, _ in metrics),
                *([_of_teacher(one)] * with_teacher),
                *([_over_baseline(one)] * with_baseline),
                figure_of(one.line, LABELS, exact, seeds),
            ]
        )
        for one in every
    ]
    if (together := average(every)) is not None:
        blank = len(axes) + 1 + len(metrics)
        share, gain = together.teacher_mean, together.baseline_mean
        records.append(
            Record(
                [
                    Datum(f"mean of all {together.students} students"),
                    *([Datum(ABSENT)] * blank),
                    *([Datum(hundredths(share), value=share)] * with_teacher),
                    *([Datum(points(gain), value=gain)] * with_baseline),
                    Datum(ABSENT),
                ]
            )
        )
    return table(heads, records, title="Frozen features of all models")


def _top5(found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """What students have of their teachers and over their baselines when five answers count."""
    every = standings(found, LINEAR_TOP5)
    told = held_to_others(every)
    if not told:
        return None
    axes = axes_of([one.line for one in told])
    records = [
        Record(
            [
                Datum(swatch(one.line.name, colours)),
                *(Datum(one.line.axes.get(axis, ABSENT)) for axis in axes),
                figure_of(one.line, LINEAR_TOP5, hundredths, len(one.line.rows)),
                _of_teacher(one),
                _over_baseline(one),
            ]
        )
        for one in told
    ]
    if (together := average(every)) is not None:
        share, gain = together.teacher_mean, together.baseline_mean
        records.append(
            Record(
                [
                    Datum(f"mean of all {together.students} students"),
                    *([Datum(ABSENT)] * (len(axes) + 1)),
                    Datum(hundredths(share), value=share),
                    Datum(points(gain), value=gain),
                ]
            )
        )
    heads = [
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Linear top-5", help="Share of images whose class is among the first five answers"),
        Column("% of teacher", help="Of its top-5 accuracy, seed by seed"),
        Column("Over baseline", help="Points of top-5 accuracy"),
    ]
    return element(
        "details",
        element("summary", "The same in top-5"),
        table(heads, records, title="Frozen features in top-5"),
    )


def _of_teacher(one: Standing) -> Datum:
    cell = one.of_teacher
    if cell is None:
        return Datum(ABSENT)
    spread = "" if cell.sd is None else f" ± {hundredths(cell.sd)}"
    return Datum(f"{hundredths(cell.mean)}{spread}", value=cell.mean)


def _over_baseline(one: Standing) -> Datum:
    found = one.over_baseline
    return Datum(ABSENT) if found is None else Datum(points(found.mean), value=found.mean)
