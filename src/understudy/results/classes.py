"""What the student gets right, class by class, over its seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from understudy.results.comparison import Comparison, Line
from understudy.results.evaluations import Figures, best_student, evaluations_of
from understudy.results.records import StudyRecord
from understudy.results.values import listing, mapping, number, text


@dataclass(frozen=True)
class ClassFigures:
    """One class, means over seeds; None where a figure is not defined."""

    name: str
    images: int
    precision: float | None
    recall: float | None
    f1: float | None
    before: float | None
    """The baseline's recall."""


@dataclass(frozen=True)
class Classes:
    """Everything by class about one student."""

    line: Line
    names: tuple[str, ...]
    figures: tuple[ClassFigures, ...]
    confusion: list[list[float]]
    """Row: the label; column: the answer; counts added up over seeds."""


def classes_of(record: StudyRecord, comparison: Comparison) -> Classes | None:
    """The figures by class of the student that is looked at closely; None without any."""
    line = best_student(comparison)
    if line is None:
        return None
    evaluations = evaluations_of(record, line)
    names = next((one.classes for one in evaluations), ())
    alike = [one.figures for one in evaluations if one.classes == names]
    if not names or not alike:
        return None
    against = [
        contrast.against
        for contrast in comparison.contrasts
        if contrast.of == line and contrast.role == "baseline"
    ]
    before = [one.figures for one in evaluations_of(record, against[0])] if against else []
    return Classes(
        line=line,
        names=names,
        figures=tuple(_figures(names, alike, before)),
        confusion=matrix_of(alike, size=len(names)),
    )


def _figures(
    names: Sequence[str], evaluations: Sequence[Figures], before: Sequence[Figures]
) -> Iterator[ClassFigures]:
    after, earlier = _by_class(evaluations), _by_class(before)
    for name in names:
        images = _mean(after, name, "images")
        yield ClassFigures(
            name=name,
            images=round(images or 0),
            precision=_mean(after, name, "precision"),
            recall=_mean(after, name, "recall"),
            f1=_mean(after, name, "f1"),
            before=_mean(earlier, name, "recall"),
        )


def _by_class(evaluations: Sequence[Figures]) -> dict[str, list[Figures]]:
    found: dict[str, list[Figures]] = {}
    for one in evaluations:
        for row in map(mapping, listing(one.get("per_class"))):
            found.setdefault(text(row.get("class")), []).append(row)
    return found


def _mean(by_class: Mapping[str, Sequence[Figures]], name: str, figure: str) -> float | None:
    values = [number(row.get(figure)) for row in by_class.get(name, ())]
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def matrix_of(evaluations: Sequence[Figures], *, size: int) -> list[list[float]]:
    """Their confusions added up: a row of each label, a column of each answer."""
    matrices = [listing(one.get("confusion")) for one in evaluations]
    total = [[0.0] * size for _ in range(size)]
    for matrix in matrices:
        for place, row in enumerate(matrix[:size]):
            for column, value in enumerate(listing(row)[:size]):
                if value:
                    total[place][column] += number(value) or 0
    return total
