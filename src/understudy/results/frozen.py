"""What frozen features are worth beside the teacher's and the baseline's, over all students."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.probes import LINEAR, PREFIX, Probed, parsed
from understudy.results.tables import Cell, Difference, ratio

LABELS = f"{PREFIX}labels"


@dataclass(frozen=True)
class Standing:
    """One model whose frozen features were probed."""

    line: Line
    of_teacher: Cell | None
    """As a share of its teacher's accuracy, over seeds; None where that was not probed."""
    over_baseline: Difference | None
    """Its accuracy less its baseline's; of several, that which leaves the least gain."""


@dataclass(frozen=True)
class Average:
    """What all students reach together: the mean over every setting that was probed."""

    students: int
    """Settings in which a student was probed."""
    of_teacher: tuple[float, ...]
    """Share of the teacher's accuracy, by setting; fewer where some teacher was not probed."""
    over_baseline: tuple[float, ...]
    """Difference from the baseline, by setting."""

    @property
    def teacher_mean(self) -> float | None:
        """Mean share of the teacher's accuracy."""
        return fmean(self.of_teacher) if self.of_teacher else None

    @property
    def baseline_mean(self) -> float | None:
        """Mean difference from the baseline."""
        return fmean(self.over_baseline) if self.over_baseline else None


def standings(found: Comparison, metric: str = LINEAR) -> list[Standing]:
    """Every probed model, in study order.

    Args:
        found: The study's comparison.
        metric: In which figure of the probes they are held to teacher and baseline.
    """

    def held(line: Line, role: str) -> list[Contrast]:
        return [
            one
            for one in found.frozen_contrasts
            if one.of is line and one.role == role and metric in one.differences
        ]

    return [
        Standing(
            line,
            _of_teacher(held(line, "teacher"), metric),
            _over(held(line, "baseline"), metric),
        )
        for line in found.frozen
    ]


def held_to_others(all_standings: Sequence[Standing]) -> list[Standing]:
    """Those with a teacher or a baseline that was probed too."""
    return [one for one in all_standings if one.of_teacher or one.over_baseline]


def average(all_standings: Sequence[Standing]) -> Average | None:
    """Over all students; None where there are fewer than two."""
    students = held_to_others(all_standings)
    if len(students) < 2:
        return None
    return Average(
        students=len(students),
        of_teacher=tuple(one.of_teacher.mean for one in students if one.of_teacher),
        over_baseline=tuple(one.over_baseline.mean for one in students if one.over_baseline),
    )


def columns(lines: Sequence[Line]) -> list[tuple[str, Probed]]:
    """The accuracies that any of these has: with all labels first, and k-NN before linear."""
    names = dict.fromkeys(
        f"{PREFIX}{name}" for line in lines for row in line.rows for name in row.probes
    )
    return ordered([(name, what) for name in names if (what := parsed(name))])


def ordered(found: Sequence[tuple[str, Probed]]) -> list[tuple[str, Probed]]:
    """With all labels first, and k-NN before linear."""
    return sorted(found, key=lambda pair: _order(pair[1]))


def is_main(what: Probed) -> bool:
    """Whether a table with little room shows it: top-1, and top-5 of the linear probe itself."""
    if what.share < 1:
        return what.kind == "linear" and what.figure == "top1"
    return what.figure == "top1" or what.kind == "linear"


def short(what: Probed) -> str:
    """A short head of a column; what stands behind a linear probe's column is of that probe."""
    return what.title.removeprefix("linear ").removeprefix("linear, ")


def _order(what: Probed) -> tuple[float, bool, int, str]:
    digits = what.kind.removeprefix("knn")
    return -what.share, what.kind == "linear", int(digits) if digits.isdigit() else 0, what.figure


def _of_teacher(contrasts: Sequence[Contrast], metric: str) -> Cell | None:
    return ratio(contrasts[0].of.rows, contrasts[0].against.rows, metric) if contrasts else None


def _over(contrasts: Sequence[Contrast], metric: str) -> Difference | None:
    found = [one.differences[metric] for one in contrasts]
    return min(found, key=lambda one: one.mean, default=None)
