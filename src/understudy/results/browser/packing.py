"""A sheet as the page's script reads it: columns of places and numbers, each text once."""

from collections.abc import Hashable, Sequence
from typing import Any

from scipy.special import stdtrit

from understudy.results.browser.measures import COSTS
from understudy.results.browser.observed import Question
from understudy.results.browser.sheet import Run, Sheet, packed
from understudy.results.browser.view import View
from understudy.results.tables import CONFIDENCE

MOST_QUANTILES = 400  # of Student's t; beyond, the last one is wrong by less than 0.3 %


def as_json(sheet: Sheet, questions: Sequence[Question], view: View) -> dict[str, Any]:
    """Everything that the script shows, with nothing in it that could be computed otherwise here.

    Intervals are computed anew for whatever a reader filters: the quantiles for them stand here, so
    that the script holds no mathematics but means and deviations.
    """
    runs = sheet.runs
    codes = [{value: place for place, value in enumerate(axis.values)} for axis in sheet.axes]
    return {
        "axes": [
            {
                "name": axis.name,
                "values": list(axis.values),
                "numeric": axis.numbers is not None,
                "splits": axis.can_split,
            }
            for axis in sheet.axes
        ],
        "measures": [
            {**one._asdict(), "is_cost": one.name.lower() in COSTS} for one in sheet.measures
        ],
        "names": [run.name for run in runs],
        "places": [
            [code[run.axes[axis.name]] if axis.name in run.axes else -1 for run in runs]
            for axis, code in zip(sheet.axes, codes, strict=True)
        ],
        "figures": [
            [
                packed(run.figures[one.name], digits=9) if one.name in run.figures else None
                for run in runs
            ]
            for one in sheet.measures
        ],
        "teacher": [run.teacher for run in runs],
        "baseline": [run.baseline for run in runs],
        "folders": [run.place for run in runs],
        "settings": _settings(sheet),
        "curves": _once(runs, [_curves(run) for run in runs]),
        "confusions": _confusions(runs),
        "questions": [one._asdict() for one in questions],
        "quantiles": [
            packed(float(stdtrit(freedom, (1 + CONFIDENCE) / 2)), digits=9)
            for freedom in range(1, min(len(runs), MOST_QUANTILES) + 1)
        ],
        "view": view._asdict(),
    }


def _settings(sheet: Sheet) -> dict[str, Any]:
    """Each pair of key and value once, and the pairs of each run; with axes that never vary."""
    known: dict[tuple[str, str], int] = {}
    of = [
        [
            known.setdefault(pair, len(known))
            for pair in (*run.axes.items(), *run.settings.items())
            if sheet.axis(pair[0]) is None
        ]
        for run in sheet.runs
    ]
    return {"known": [list(pair) for pair in known], "of": of}


def _curves(run: Run) -> Hashable:
    """Two checkpoints of one training have the same."""
    return tuple(
        (title, tuple((place, packed(value)) for place, value in points))
        for title, points in run.curves.items()
    )


def _once(runs: Sequence[Run], told: Sequence[Any]) -> dict[str, Any]:
    known: dict[Any, int] = {}
    of = [known.setdefault(one, len(known)) if one else -1 for one in told]
    listed = [
        {title: [list(axis) for axis in zip(*points, strict=True)] for title, points in one}
        for one in known
    ]
    return {"known": listed, "of": of[: len(runs)]}


def _confusions(runs: Sequence[Run]) -> dict[str, Any]:
    classes: dict[tuple[str, ...], int] = {}
    of = [
        None
        if run.confusion is None
        else [classes.setdefault(run.confusion[0], len(classes)), run.confusion[1]]
        for run in runs
    ]
    return {"classes": [list(one) for one in classes], "of": of}
