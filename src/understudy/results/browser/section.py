"""The page's section in which hundreds of rows are looked through."""

from collections.abc import Iterator, Sequence

from understudy.results.browser.controls import controls
from understudy.results.browser.measures import gain, level
from understudy.results.browser.observed import Answer, Question, answers, questions, splits
from understudy.results.browser.packing import as_json
from understudy.results.browser.sheet import ROLE, Measure, Sheet, packed
from understudy.results.browser.view import View, first_view
from understudy.results.formats import plural
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Markup, element, json_block, section

HEIGHT = 420  # pixels of the plot before the script has drawn it
SHOWN = 6  # figures in the table before the reader asks for all
READING = (
    "Of the rows that are shown. A pair is two rows that differ in what is asked alone. Pairs that "
    "share a teacher or a baseline count once, by their mean, for students of one teacher repeat "
    "its answers: n is how many so remain, and the interval (95 %, Student's t) is over them. One "
    "alone has none."
)


def browser(sheet: Sheet | None) -> Markup | None:
    """The section; None where there is nothing to look through."""
    if sheet is None or not sheet.measures:
        return None
    view, asked = first_view(sheet), questions(sheet)
    return section(
        "browser",
        "Browse",
        *(element("p", note, class_="quiet note") for note in sheet.notes),
        controls(sheet, view),
        element(
            "figure",
            element("figcaption", element("span"), element("small")),
            element("div", class_="plot", role="img", style=f"min-height:{HEIGHT}px"),
            class_="live",
        ),
        element(
            "details",
            element("summary", "The averages as a table"),
            element("div", class_="averages"),
        ),
        *_told(sheet, asked, view),
        element("h3", "Every row"),
        rows_table(sheet),
        element("div", class_="looked", id="looked", tabindex=-1),
        json_block(as_json(sheet, asked, view)),
    )


def summary(sheet: Sheet) -> str:
    """What rows there are, in a line under the title."""
    roles = sheet.axis(ROLE)
    counts = [
        plural(sum(run.axes.get(ROLE) == role for run in sheet.runs), role)
        for role in (roles.values if roles else ())
    ]
    return " · ".join(counts or [plural(len(sheet.runs), "row")])


def _told(sheet: Sheet, asked: Sequence[Question], view: View) -> Iterator[Markup]:
    """What the rows of the first view say; the script writes the same of any other view."""
    if not asked:
        return
    yield element("h3", "What these rows say")
    yield element("p", READING, class_="quiet note")
    yield element(
        "div", *(answer_table(sheet, question, view) for question in asked), class_="answers"
    )


def answer_table(sheet: Sheet, question: Question, view: View) -> Markup | None:
    """A question's answers: of all pairs, then of each setting."""
    measure = next(one for one in sheet.measures if one.name == view.figure)
    by = splits(sheet, question, along=view.along, panels=view.panels, group=view.group)
    found = answers(sheet, question, view.figure, by=by, among=sheet.chosen())
    if not found:
        return None
    heads = [*by, *heads_of(measure)]
    rows = [
        element("tr", *(_cell(cell, place < len(by)) for place, cell in enumerate(line)))
        for line in (cells_of(one, measure, by) for one in found)
    ]
    told = sentence(question, found[0], measure)
    return element(
        "div",
        element("p", told, class_="told"),
        element(
            "div",
            element(
                "table",
                element(
                    "thead", element("tr", *(_head(*one, len(by)) for one in enumerate(heads)))
                ),
                element("tbody", *rows),
            ),
            class_="scrolled",
            role="region",
            aria_label=told,
            tabindex=0,
        ),
    )


def _head(place: int, text: str, settings: int) -> Markup:
    return element("th", text, scope="col", class_="number" if place >= settings else None)


def _cell(text: str, is_setting: bool) -> Markup:
    return element("td", text, class_=None if is_setting else "number")


def heads_of(measure: Measure) -> list[str]:
    """What is told of each answer."""
    unit = measure.of_differences.strip()
    return [unit or "mean", "95 % interval", "n", "pairs", "higher"]


def cells_of(answer: Answer, measure: Measure, by: Sequence[str]) -> list[str]:
    """An answer as texts; the script writes the same."""
    found = answer.found
    setting = answer.setting or ("all", *[""] * (len(by) - 1))[: len(by)]
    return [
        *setting,
        gain(measure, found.mean),
        interval_of(answer, measure),
        str(found.n),
        str(answer.pairs),
        str(answer.higher),
    ]


def interval_of(answer: Answer, measure: Measure) -> str:
    """`−0.91 to +0.59`; a dash where nothing tells how far chance moves the mean."""
    low, high = answer.found.low, answer.found.high
    return "–" if low is None else f"{gain(measure, low)} to {gain(measure, high)}"


def sentence(question: Question, answer: Answer, measure: Measure) -> str:
    """What all pairs together say."""
    found = answer.found
    interval = interval_of(answer, measure)
    told = f"95 % interval {interval}, n = {found.n}" if found.low is not None else "no interval"
    verdict = "; no difference shown" if found.low is not None and not found.is_shown else ""
    return (
        f"{question.title}: {gain(measure, found.mean)}{measure.of_differences} in {measure.title} "
        f"({told}{verdict}), higher in {answer.higher:,} of {plural(answer.pairs, 'pair')}."
    )


def sentences(sheet: Sheet) -> list[str]:
    """What the rows that are shown at first say of each question."""
    measure = sheet.measure
    found = [
        (question, answers(sheet, question, measure.name, by=[], among=sheet.chosen()))
        for question in questions(sheet)
    ]
    return [sentence(question, told[0], measure) for question, told in found if told]


def rows_table(sheet: Sheet) -> Markup:
    """Every row with its axes and figures; a script filters it, and lets rows be looked at."""
    first = sheet.measure
    figures = sorted(sheet.measures, key=lambda one: (one is not first, one.scale == 1.0))
    columns = [
        *(Column(axis.name, numeric=axis.numbers is not None) for axis in sheet.axes),
        *(
            Column(f"{one.title}{one.unit}", aside=place >= SHOWN)
            for place, one in enumerate(figures)
        ),
    ]
    records = [
        Record(
            [
                *(
                    Datum(value or "–", value=float(value) if value and axis.numbers else None)
                    for axis in sheet.axes
                    for value in [run.axes.get(axis.name)]
                ),
                *(
                    Datum(
                        level(one, value), value=None if value is None else packed(value, digits=7)
                    )
                    for one in figures
                    for value in [run.figures.get(one.name)]
                ),
            ]
        )
        for run in sheet.runs
    ]
    return table(columns, records, title="Every row")
