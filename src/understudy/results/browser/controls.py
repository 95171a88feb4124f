"""The browser's form: what is drawn, along what, of which rows. Its fields are the whole view."""

from collections.abc import Iterable, Sequence

from understudy.results.browser.measures import COSTS
from understudy.results.browser.sheet import BASELINE, TEACHER, Axis, Sheet
from understudy.results.browser.view import View
from understudy.results.formats import exact
from understudy.results.markup import Markup, element, joined

SPREADS = {"sd": "± deviation", "range": "lowest to highest", "": "nothing"}
SHAPES = {"": "bars along names", "bars": "bars", "points": "points"}
"""How means are drawn; by default as bars from 0 where they stand along names, not numbers."""


def controls(sheet: Sheet, view: View) -> Markup:
    """Hidden until the script can answer to it."""
    axes = [(axis.name, axis.name) for axis in sheet.axes]
    measures = [(one.name, one.title) for one in sheet.measures]
    costs = [pair for pair in measures if pair[0].lower() in COSTS]
    nothing = [("", "nothing")]
    return element(
        "form",
        element(
            "div",
            _select("figure", "Figure", measures, view.figure),
            _select("along", "Along", [*axes, *costs], view.along),
            _select("group", "Coloured by", [*nothing, *axes], view.group),
            _select("panels", "A plot for each", [*nothing, *axes], view.panels),
            _select("shape", "Drawn as", list(SHAPES.items()), ""),
            _select("spread", "Spread", list(SPREADS.items()), "sd"),
            class_="choices",
        ),
        element(
            "fieldset",
            element("legend", "Also drawn"),
            *_overlays(sheet),
            class_="ticks",
        ),
        element(
            "div",
            *(_filter(place, axis) for place, axis in enumerate(sheet.axes)),
            class_="filters",
        ),
        element(
            "div",
            element("p", role="status", class_="quiet"),
            *(
                element("button", told, type="button", data_do=does)
                for does, told in (
                    ("reset", "Reset the view"),
                    ("link", "Copy a link to this view"),
                    ("csv", "Save these rows as CSV"),
                )
            ),
            class_="doing",
        ),
        element(
            "input",
            type="text",
            readonly="",
            hidden="",
            class_="address",
            aria_label="Link to this view",
        ),
        class_="view",
        aria_label="What is shown",
        hidden="",
    )


def _overlays(sheet: Sheet) -> Iterable[Markup]:
    if any(run.teacher is not None for run in sheet.runs):
        yield _tick("overlay", TEACHER, "their teachers", ticked=True)
    if any(run.baseline is not None for run in sheet.runs):
        yield _tick("overlay", BASELINE, "their supervised baselines", ticked=True)
    yield _tick("overlay", "runs", "every run", ticked=True)


def _select(name: str, title: str, options: Sequence[tuple[str, str]], chosen: str) -> Markup:
    return element(
        "label",
        element("span", title),
        element(
            "select",
            *(
                element("option", told, value=value, selected="" if value == chosen else None)
                for value, told in options
            ),
            name=name,
        ),
    )


def _filter(place: int, axis: Axis) -> Markup:
    """The values of an axis; none ticked is all, so that one press shows one value alone."""
    if not axis.can_split:
        told = f"{exact(len(axis.values))} values: search for one in the table of rows."
        boxes = [element("p", told, class_="quiet")]
    else:
        boxes = [
            _tick(f"of.{place}", value, value, ticked=value in axis.chosen) for value in axis.values
        ]
    return element(
        "fieldset",
        element("legend", axis.name, element("small")),
        element("div", *boxes),
        class_="ticks",
        data_axis=axis.name,
    )


def _tick(name: str, value: str, told: str, *, ticked: bool) -> Markup:
    box = element("input", type="checkbox", name=name, value=value, checked="" if ticked else None)
    return element("label", joined([box, element("span", told)]))
