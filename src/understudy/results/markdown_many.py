"""Hundreds of models in Markdown: averages and what they are asked, in place of a line for each."""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from understudy.results.browser.measures import level
from understudy.results.browser.observed import answers, questions, splits
from understudy.results.browser.section import READING, cells_of, heads_of, sentence, summary
from understudy.results.browser.sheet import Axis, Measure, Run, Sheet
from understudy.results.browser.view import View, first_view
from understudy.results.formats import ABSENT, exact
from understudy.results.markdown_cells import plain, table

MOST_LINES = 120
"""Models at a checkpoint of their own that a page lists one by one: about three screens."""


def many(sheet: Sheet) -> list[str]:
    """The view that the browser opens with as a table, and its answers."""
    view = first_view(sheet)
    measure = next(one for one in sheet.measures if one.name == view.figure)
    shown = sheet.chosen()
    return [
        f"{exact(len(sheet.runs))} models at their checkpoints; {summary(sheet)}. They stand in "
        "the report's browser and in rows.csv; here are means over them.",
        *_averages(sheet, view, measure, shown),
        *_answers(sheet, view, measure, shown),
    ]


def _averages(sheet: Sheet, view: View, measure: Measure, shown: Sequence[int]) -> Iterator[str]:
    """Means along the view's axis: a line for each setting, and for those it is held against."""
    along = sheet.axis(view.along)
    if along is None:
        return
    by = [axis for axis in (sheet.axis(view.panels), sheet.axis(view.group)) if axis]
    settings = dict.fromkeys(_values(sheet.runs[place], by) for place in shown)
    of: dict[str, Callable[[int], int | None]] = {
        "mean": lambda place: place,
        "of their teachers": lambda place: sheet.runs[place].teacher,
        "of their baselines": lambda place: sheet.runs[place].baseline,
    }
    lines = []
    for setting in settings:
        own = [place for place in shown if _values(sheet.runs[place], by) == setting]
        for title, other in of.items():
            cells = _means(sheet, own, along, measure, other)
            if any(cell != ABSENT for cell in cells):
                lines.append([*setting, title, *cells])
    title = f"{measure.title[:1].upper()}{measure.title[1:]} along {along.name}"
    yield f"## {plain(title)}{f', in{measure.unit}' if measure.unit else ''}"
    yield table([*(axis.name for axis in by), "", *along.values], lines)


def _values(run: Run, axes: Sequence[Axis]) -> tuple[str, ...]:
    return tuple(run.axes.get(axis.name, ABSENT) for axis in axes)


def _means(
    sheet: Sheet,
    places: Sequence[int],
    along: Axis,
    measure: Measure,
    other: Callable[[int], int | None],
) -> list[str]:
    """The mean at each value of the axis; what several are held against counts once."""
    cells = []
    for value in along.values:
        own = [place for place in places if sheet.runs[place].axes.get(along.name) == value]
        held = dict.fromkeys(found for place in own if (found := other(place)) is not None)
        figures = [sheet.runs[place].figures.get(measure.name) for place in held]
        known = [figure for figure in figures if figure is not None]
        cells.append(level(measure, fmean(known) if known else None))
    return cells


def _answers(sheet: Sheet, view: View, measure: Measure, shown: Sequence[int]) -> Iterator[str]:
    asked = questions(sheet)
    if not asked:
        return
    yield "## What these rows say"
    yield READING
    for question in asked:
        by = splits(sheet, question, along=view.along, panels=view.panels, group=view.group)
        found = answers(sheet, question, view.figure, by=by, among=shown)
        if found:
            yield f"**{plain(sentence(question, found[0], measure))}**"
            yield table([*by, *heads_of(measure)], [cells_of(one, measure, by) for one in found])
