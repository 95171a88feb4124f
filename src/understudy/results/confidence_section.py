"""The page's section of confidence: whether models are as often right as they say."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from understudy.results.comparison import Comparison, Line
from understudy.results.confidence import Bin, reliability
from understudy.results.evaluations import best_student, evaluations_of
from understudy.results.figure import SHARE, Figure, figure, plain, plotted, titled
from understudy.results.finding import alone, began
from understudy.results.formats import percent, plural
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, section
from understudy.results.records import StudyRecord
from understudy.results.values import mapping, number, whole

ALIKE = 0.02  # a gap between saying and being right that seeds alone make; less is not called one
SMALLEST, LARGEST = 5, 30  # diameters in pixels of the dots, of no image and of all


class Told(NamedTuple):
    """How sure one model is."""

    line: Line
    bins: list[Bin]
    errors: tuple[float, float] | None
    """Mean calibration error over seeds, raw and with the temperature; None where no evaluation
    has both."""


def confidence(record: StudyRecord, found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """Reliability diagrams of the student, its teacher and its baseline."""
    told = [one for line in _looked_at(found) if (one := _told(record, line)).bins]
    if not told:
        return None
    seeds = max(len(one.line.rows) for one in told)
    mark = sign([row for one in told for row in one.line.rows], "test_ece")
    return section(
        "confidence",
        "Confidence",
        element("ul", *(element("li", _sentence(one)) for one in told)),
        element(
            "div",
            plotted(
                diagram(told, colours),
                caption=f"Right as often as it says?{mark}",
                note="above the dotted line: too modest; below: too sure; large dots: many answers",
            ),
            plotted(
                shares(told, colours),
                caption=f"How sure the answers are{mark}",
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


def _told(record: StudyRecord, line: Line) -> Told:
    evaluations = [one.figures for one in evaluations_of(record, line)]
    errors = [
        (raw, calibrated)
        for one in evaluations
        if (raw := number(one.get("ece"))) is not None
        and (calibrated := number(one.get("ece_calibrated"))) is not None
        and whole(mapping(one.get("temperature")).get("labels"))
    ]
    means = (fmean(raw for raw, _ in errors), fmean(one for _, one in errors)) if errors else None
    return Told(line, reliability(evaluations), means)


def _sentence(told: Told) -> str:
    sure = sum(one.confidence * one.share for one in told.bins)
    right = sum(one.accuracy * one.share for one in told.bins)
    gap = sure - right
    verdict = "as often as it says" if abs(gap) < ALIKE else "too sure" if gap > 0 else "too modest"
    mark = sign(told.line.rows, "test_ece")
    calibrated = (
        f" The temperature fitted on validation takes its calibration error from "
        f"{percent(told.errors[0])}{mark} to {percent(told.errors[1])}{mark}."
        if told.errors
        else ""
    )
    return (
        f"{began(alone(told.line.name))} is {percent(sure)}{mark} sure of its answers on average, "
        f"and {percent(right)}{mark} of them are right: {verdict}.{calibrated}"
    )


def diagram(told: Sequence[Told], colours: Mapping[str, str]) -> Figure:
    """Accuracy over confidence; on the diagonal both are equal."""
    diagonal = {
        "type": "line",
        **dict.fromkeys(("x0", "y0"), 0),
        **dict.fromkeys(("x1", "y1"), 1),
        "layer": "below",
        "line": {"color": "var(--quiet)", "width": 1, "dash": "dot"},
    }
    traces = [
        _trace(
            one,
            colours,
            heights=[each.accuracy for each in one.bins],
            sizes=[round(SMALLEST + LARGEST * each.share**0.5, 1) for each in one.bins],
            texts=[
                f"of the {percent(each.share)} of answers that are {percent(each.confidence)} "
                f"sure, {percent(each.accuracy)} are right"
                for each in one.bins
            ],
        )
        for one in told
    ]
    height = {**SHARE, "range": [0, 1.05], "nticks": 7, "title": titled("is right")}
    return _over_confidence(traces, height, shapes=[diagonal])


def shares(told: Sequence[Told], colours: Mapping[str, str]) -> Figure:
    """The share of answers of each confidence."""
    traces = [
        _trace(
            one,
            colours,
            heights=[each.share for each in one.bins],
            sizes=[SMALLEST] * len(one.bins),
            texts=[percent(each.share) for each in one.bins],
        )
        for one in told
    ]
    return _over_confidence(traces, {**SHARE, "rangemode": "tozero", "nticks": 7})


def _trace(
    told: Told,
    colours: Mapping[str, str],
    *,
    heights: Sequence[float],
    sizes: Sequence[float],
    texts: Sequence[str],
) -> Figure:
    """A dot for each bin, at its confidence, joined by a line."""
    name, colour = plain(told.line.name), colours[told.line.name]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": [round(one.confidence, 4) for one in told.bins],
        "y": [round(height, 4) for height in heights],
        "line": {"color": colour, "width": 1.5},
        "marker": {"color": colour, "opacity": 0.8, "size": list(sizes)},
        "text": [f"{name}: {text}" for text in texts],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _over_confidence(traces: list[Figure], y: Figure, **layout: Any) -> Figure:
    x = {**SHARE, "range": [0, 1.03], "nticks": 7, "title": titled("says")}
    return figure(traces, height=360, x=x, y=y, showlegend=len(traces) > 1, **layout)
