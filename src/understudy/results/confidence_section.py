"""The page's section of confidence: whether models are as often right as they say."""

from collections.abc import Iterator, Mapping, Sequence

from understudy.results.comparison import Comparison, Line
from understudy.results.confidence import Bin, reliability
from understudy.results.evaluations import best_student, evaluations_of
from understudy.results.figure import SHARE, Figure, figure, plain, plotted, titled
from understudy.results.finding import alone, began
from understudy.results.formats import percent, plural
from understudy.results.markup import Markup, element, section
from understudy.results.records import StudyRecord

ALIKE = 0.02  # a gap between saying and being right that seeds alone make; less is not called one
SMALLEST, LARGEST = 5, 30  # diameters in pixels of the dots, of no image and of all

Told = list[tuple[Line, list[Bin]]]


def confidence(record: StudyRecord, found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """Reliability diagrams of the student, its teacher and its baseline."""
    told = [
        (line, bins)
        for line in _looked_at(found)
        if (bins := reliability([one.figures for one in evaluations_of(record, line)]))
    ]
    if not told:
        return None
    seeds = max(len(line.rows) for line, _ in told)
    return section(
        "confidence",
        "Confidence",
        element("ul", *(element("li", _sentence(line, bins)) for line, bins in told)),
        element(
            "div",
            plotted(
                diagram(told, colours),
                caption="Right as often as it says?",
                note="above the dotted line: too modest; below: too sure; large dots: many answers",
            ),
            plotted(
                shares(told, colours),
                caption="How sure the answers are",
                note="share of the test images"
                + (f", {plural(seeds, 'seed')} together" if seeds > 1 else ""),
            ),
            class_="figures",
        ),
    )


def _looked_at(found: Comparison) -> Iterator[Line]:
    student = best_student(found)
    if student is None:
        return
    yield student
    seen = set()
    for contrast in found.contrasts:
        if contrast.of == student and contrast.against.name not in seen:
            seen.add(contrast.against.name)
            yield contrast.against


def _sentence(line: Line, bins: Sequence[Bin]) -> str:
    sure = sum(one.confidence * one.share for one in bins)
    right = sum(one.accuracy * one.share for one in bins)
    gap = sure - right
    verdict = "as often as it says" if abs(gap) < ALIKE else "too sure" if gap > 0 else "too modest"
    return (
        f"{began(alone(line.name))} gives its answers {percent(sure)} on average, and "
        f"{percent(right)} of them are right: {verdict}."
    )


def diagram(told: Told, colours: Mapping[str, str]) -> Figure:
    """Accuracy over confidence; on the diagonal both are equal."""
    diagonal = {
        "type": "line",
        **dict.fromkeys(("x0", "y0"), 0),
        **dict.fromkeys(("x1", "y1"), 1),
        "layer": "below",
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"},
    }
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": plain(line.name),
            "x": [round(one.confidence, 4) for one in bins],
            "y": [round(one.accuracy, 4) for one in bins],
            "line": {"color": colours[line.name], "width": 1.5},
            "marker": {
                "color": colours[line.name],
                "opacity": 0.8,
                "size": [round(SMALLEST + LARGEST * one.share**0.5, 1) for one in bins],
            },
            "text": [
                f"{plain(line.name)}: of the {percent(one.share)} of answers that are "
                f"{percent(one.confidence)} sure, {percent(one.accuracy)} are right"
                for one in bins
            ],
            "hovertemplate": "%{text}<extra></extra>",
        }
        for line, bins in told
    ]
    return figure(
        traces,
        height=360,
        x={**SHARE, "range": [0, 1.03], "nticks": 7, "title": titled("says")},
        y={**SHARE, "range": [0, 1.05], "nticks": 7, "title": titled("is right")},
        shapes=[diagonal],
        showlegend=len(traces) > 1,
    )


def shares(told: Told, colours: Mapping[str, str]) -> Figure:
    """The share of answers of each confidence."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": plain(line.name),
            "x": [round(one.confidence, 4) for one in bins],
            "y": [round(one.share, 4) for one in bins],
            "line": {"color": colours[line.name], "width": 1.5},
            "marker": {"color": colours[line.name], "size": 6},
            "text": [f"{plain(line.name)}: {percent(one.share)}" for one in bins],
            "hovertemplate": "%{text}<extra></extra>",
        }
        for line, bins in told
    ]
    return figure(
        traces,
        height=360,
        x={**SHARE, "range": [0, 1.03], "nticks": 7, "title": titled("says")},
        y={**SHARE, "rangemode": "tozero", "nticks": 7},
        showlegend=len(traces) > 1,
    )
