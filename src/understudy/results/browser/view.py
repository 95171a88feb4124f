"""The view that the browser opens with: the figure that matters, by what moves it most."""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from understudy.results.browser.sheet import ROLE, Sheet

MOST_GROUPS = 12  # lines that an eye can follow in one plot
MOST_PANELS = 6  # plots that an eye compares
LEAST_SHARE = 0.5  # of the rows that have a value of an axis that tells rows apart at first
NEVER = frozenset({ROLE, "checkpoint", "seed", "file"})
"""Axes that are averaged over, or chosen, before anything is told apart by them."""


class View(NamedTuple):
    """What is drawn; "" is nothing."""

    figure: str
    along: str
    """An axis, or a figure such as parameters."""
    group: str
    panels: str


def first_view(sheet: Sheet) -> View:
    """The preferred figure along the labels, told apart by the two axes that move it most."""
    figure, along = sheet.measure.name, sheet.along or ""
    ranked = _ranked(sheet, figure, along)
    panels = [axis for axis, values in ranked[:2] if values <= MOST_PANELS]
    if len(ranked) < 2 or not panels:
        return View(figure, along, ranked[0][0] if ranked else "", "")
    fewer = min((pair for pair in ranked[:2] if pair[0] in panels), key=lambda pair: pair[1])
    group = next(axis for axis, _ in ranked if axis != fewer[0])
    return View(figure, along, group, fewer[0])


def _ranked(sheet: Sheet, figure: str, along: str) -> list[tuple[str, int]]:
    """Axes with their numbers of values, the one that explains most of the figure first."""
    chosen = [place for place in sheet.chosen() if figure in sheet.runs[place].figures]
    found = []
    for axis in sheet.axes:
        told = [sheet.runs[place].axes.get(axis.name) for place in chosen]
        values = {*told} - {None}
        if told.count(None) > (1 - LEAST_SHARE) * len(told):
            continue
        if axis.name not in NEVER | {along} and 1 < len(values) <= MOST_GROUPS:
            found.append(
                (_explained(sheet, chosen, figure, axis.name, along), axis.name, len(values))
            )
    return [(name, count) for _, name, count in sorted(found, key=lambda one: -one[0])]


def _explained(sheet: Sheet, places: Sequence[int], figure: str, axis: str, along: str) -> float:
    """How much of the figure's variance the axis explains at each place of the plot."""
    columns: dict[str, dict[str, list[float]]] = {}
    for place in places:
        run = sheet.runs[place]
        cells = columns.setdefault(run.axes.get(along, ""), {})
        cells.setdefault(run.axes.get(axis, ""), []).append(run.figures[figure])
    total = 0.0
    for cells in columns.values():
        mean = fmean(value for values in cells.values() for value in values)
        total += sum(len(values) * (fmean(values) - mean) ** 2 for values in cells.values())
    return total
