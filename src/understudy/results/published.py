"""A study's figures beside those that others published of the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from understudy.core.wording import named
from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.finding import setting
from understudy.results.formats import ABSENT, hundredths, points
from understudy.results.probes import PREFIX, parsed
from understudy.results.records import StudyRecord
from understudy.results.tables import Difference, difference
from understudy.results.values import listing, mapping, number, text, whole

TESTED = "test accuracy"
METRICS = {
    "test_top1": "test_top1",
    **{
        key: f"{PREFIX}{key}" for key in ("linear_top1", "linear_top5", "knn20_top1", "knn200_top1")
    },
}
"""What of this study stands beside each figure that a study's file may state."""
OTHERWISE = (
    "This study did not run the published protocol: its accuracies cannot be those published. "
    "Compare the differences, and what their intervals leave open."
)


@dataclass(frozen=True)
class Source:
    """What one source published."""

    study: str
    """Folder of the study whose file names it."""
    title: str
    text: str
    """Who, where, and what the figures hold for."""
    checkpoint: str
    test_images: int | None
    figures: dict[tuple[str, str, frozenset[tuple[str, str]]], tuple[float, ...]]
    """Shares by what they are of, stage and axes; one for each seed."""

    def of(self, line: Line, key: str) -> tuple[float, ...]:
        """Its figures of the same model; none where it has none."""
        if line.study != self.study:
            return ()
        axes = line.axes.items()
        found = [
            (len(asked), values)
            for (what, name, asked), values in self.figures.items()
            if what == key and name == line.name and asked <= axes
        ]
        return max(found, default=(0, ()))[1]

    def difference(self, contrast: Contrast, key: str) -> Difference | None:
        """What it says of the same comparison."""
        of, against = self.of(contrast.of, key), self.of(contrast.against, key)
        if not of or not against:
            return None
        if len(of) == len(against):
            values = [one - other for one, other in zip(of, against, strict=True)]
            return difference(values, seeds=range(len(values)))
        return difference([fmean(of) - fmean(against)], seeds=[None])


@dataclass(frozen=True)
class Compared:
    """One row: a model or a difference, in figures of this study and of each source."""

    title: str
    what: str
    """What the figures are of: test accuracy, linear, k-NN 200, ..."""
    setting: str
    """Of the axes."""
    figures: tuple[str, ...]
    """Of this study, then of each source."""


@dataclass(frozen=True)
class Beside:
    """This study beside the sources that its file names."""

    sources: tuple[Source, ...]
    models: tuple[Compared, ...]
    """In per cent."""
    differences: tuple[Compared, ...]
    """In points."""
    note: str
    """Why the accuracies themselves cannot be those published; "" where they can."""

    @property
    def is_of_several(self) -> bool:
        """Whether a row has to say what it is of."""
        return {one.what for one in self.models} != {TESTED}


def beside(record: StudyRecord, found: Comparison) -> Beside | None:
    """The figures side by side; None where nothing published is named, or nothing was tested."""
    named_here = [_source(one, study) for study, told in record.published.items() for one in told]
    models = tuple(_models(found, named_here))
    if not models:
        return None
    changed = {key for one in named_here for key in record.changed.get(one.study, {})}
    note = OTHERWISE if record.reduced or changed - {"data.path"} else ""
    return Beside(tuple(named_here), models, tuple(_differences(found, named_here)), note)


def _source(told: dict[str, Any], study: str) -> Source:
    figures = map(mapping, listing(told.get("figures")))
    return Source(
        study=study,
        title=text(told.get("title")),
        text=text(told.get("source")),
        checkpoint=text(told.get("checkpoint")),
        test_images=whole(told.get("test_images")),
        figures={
            (
                key,
                text(one.get("name")),
                frozenset((axis, named(value)) for axis, value in mapping(one.get("axes")).items()),
            ): tuple(value for each in listing(one.get(key)) if (value := number(each)) is not None)
            for one in figures
            for key in METRICS
            if one.get(key)
        },
    )


def _models(found: Comparison, sources: Sequence[Source]) -> Iterator[Compared]:
    for key, metric in METRICS.items():
        for line in _lines(found, metric):
            told = [one.of(line, key) if _is_meant(line, one, found) else () for one in sources]
            cell = line.cell(metric)
            if cell and any(told):
                spread = "" if cell.sd is None else f" ± {hundredths(cell.sd)}"
                figures = (f"{hundredths(cell.mean)}{spread}", *map(_spread, told))
                yield Compared(line.name, _what(metric), setting(line.axes), figures)


def _differences(found: Comparison, sources: Sequence[Source]) -> Iterator[Compared]:
    for key, metric in METRICS.items():
        probed = metric.startswith(PREFIX)
        for contrast in found.frozen_contrasts if probed else found.contrasts:
            ours = contrast.differences.get(metric)
            told = [
                one.difference(contrast, key) if _is_meant(contrast.of, one, found) else None
                for one in sources
            ]
            if ours and any(told):
                figures = tuple(map(_interval, [ours, *told]))
                yield Compared(contrast.title, _what(metric), setting(contrast.axes), figures)


def _lines(found: Comparison, metric: str) -> tuple[Line, ...]:
    return found.frozen if metric.startswith(PREFIX) else found.lines


def _what(metric: str) -> str:
    probed = parsed(metric)
    return TESTED if probed is None else probed.title


def _is_meant(line: Line, source: Source, found: Comparison) -> bool:
    """Whether the line is at the source's checkpoint, or kept no other, as an ensemble does.

    And was tested on as many images.
    """
    if line.rows[0].test_images != source.test_images:
        return False
    lines = (*found.lines, *found.frozen)
    own = {one.checkpoint for one in lines if (one.name, one.axes) == (line.name, line.axes)}
    return line.checkpoint == source.checkpoint or len(own) == 1


def _spread(values: tuple[float, ...]) -> str:
    if not values:
        return ABSENT
    return hundredths(fmean(values)) + (
        f" ± {hundredths(stdev(values))}" if len(values) > 1 else ""
    )


def _interval(found: Difference | None) -> str:
    if found is None:
        return ABSENT
    reach = "" if found.low is None else f" ({points(found.low)} to {points(found.high)})"
    return points(found.mean) + reach
