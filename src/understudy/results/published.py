"""A study's figures beside those that others published of the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from understudy.core.wording import named
from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.finding import setting
from understudy.results.formats import ABSENT, hundredths, points
from understudy.results.records import StudyRecord
from understudy.results.tables import Difference, difference
from understudy.results.values import listing, mapping, number, text

METRIC = "test_top1"


@dataclass(frozen=True)
class Source:
    """What one source published."""

    title: str
    text: str
    """Who, where, and what the figures hold for."""
    checkpoint: str
    figures: dict[tuple[str, frozenset[tuple[str, str]]], tuple[float, ...]]
    """Test accuracies by stage and axes, one for each seed."""

    def of(self, line: Line) -> tuple[float, ...]:
        """Its figures of the same model; none where it has none."""
        axes = line.axes.items()
        found = (
            values
            for (name, asked), values in self.figures.items()
            if name == line.name and asked <= axes
        )
        return next(found, ())

    def difference(self, contrast: Contrast) -> Difference | None:
        """What it says of the same comparison."""
        of, against = self.of(contrast.of), self.of(contrast.against)
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


def beside(record: StudyRecord, found: Comparison) -> Beside | None:
    """The figures side by side; None where nothing published is named, or nothing was tested."""
    sources = tuple(_source(one) for one in record.published)
    models = tuple(_models(found, sources))
    return Beside(sources, models, tuple(_differences(found, sources))) if models else None


def _source(told: dict[str, Any]) -> Source:
    figures = map(mapping, listing(told.get("figures")))
    return Source(
        title=text(told.get("title")),
        text=text(told.get("source")),
        checkpoint=text(told.get("checkpoint")),
        figures={
            (
                text(one.get("name")),
                frozenset((axis, named(value)) for axis, value in mapping(one.get("axes")).items()),
            ): tuple(
                value for each in listing(one.get(METRIC)) if (value := number(each)) is not None
            )
            for one in figures
        },
    )


def _models(found: Comparison, sources: tuple[Source, ...]) -> Iterator[Compared]:
    for line in found.lines:
        told = [one.of(line) if _is_meant(line, one, found) else () for one in sources]
        cell = line.cell(METRIC)
        if cell and any(told):
            ours = hundredths(cell.mean) + ("" if cell.sd is None else f" ± {hundredths(cell.sd)}")
            yield Compared(line.name, setting(line.axes), (ours, *map(_spread, told)))


def _differences(found: Comparison, sources: tuple[Source, ...]) -> Iterator[Compared]:
    for contrast in found.contrasts:
        ours = contrast.differences.get(METRIC)
        told = [
            one.difference(contrast) if _is_meant(contrast.of, one, found) else None
            for one in sources
        ]
        if ours and any(told):
            yield Compared(
                contrast.title,
                setting(contrast.axes),
                tuple(map(_interval, [ours, *told])),
            )


def _is_meant(line: Line, source: Source, found: Comparison) -> bool:
    """Whether the line is at the source's checkpoint, or kept no other, as an ensemble does."""
    own = [one.checkpoint for one in found.lines if (one.name, one.axes) == (line.name, line.axes)]
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
