"""Fine-tuned classifiers beside linear probes of the features that they began with.

Both are asked about the same test images and have read as many labels, those of validation too; how
much more than the probe the fine-tuning could change is the question.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from understudy.results.comparison import FINE_TUNED, Comparison, Line
from understudy.results.finding import called, pairs, setting, telling
from understudy.results.formats import ABSENT, exact, hundredths, percent, plural, points
from understudy.results.frozen import LABELS
from understudy.results.leaks import sign
from understudy.results.probes import LINEAR, PREFIX
from understudy.results.rows import Row
from understudy.results.tables import Difference, difference

TITLE = "fine-tuned beside linear probes of as many labels"
TOP5 = f"{PREFIX}linear_top5"
MOST_TOLD = 4  # one by one; of more the range is told, and the table tells of each


class Column(NamedTuple):
    """A figure of each model."""

    head: str
    help: str
    spare: int
    """Order in which columns are left out of a narrow terminal; 0 stays."""


COLUMNS = (
    Column("labels", "Read by either, those of validation too", 0),
    Column("probe", "Top-1 of the linear probe, frozen features", 0),
    Column("tuned", "Top-1 after fine-tuning, last checkpoint", 0),
    Column("points", "Fine-tuned less probe, in top-1", 0),
    Column("95 % interval", "Student's t over the paired differences", 1),
    Column("probe top-5", "The right class among the probe's first five", 2),
    Column("tuned top-5", "The right class among the first five after fine-tuning", 2),
    Column("n", "Pairs", 0),
)


class Figure(NamedTuple):
    """What stands in one column."""

    shown: str
    value: float | None


@dataclass(frozen=True)
class Beside:
    """A fine-tuned model, and the linear probe that knew as many labels."""

    line: Line
    start: Line
    """What it began with, whose frozen features were probed."""
    labels: int
    """Of each of the two."""
    share: str
    """What follows the names of the probe's figures: `@1%`, or nothing for all labels."""
    gain: Difference
    """In top-1, the fine-tuned model less the probe, each less that of its own beginning."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """As tables show them, by `COLUMNS`."""

        def level(line: Line, metric: str) -> Figure:
            cell = line.cell(metric)
            if cell is None:
                return Figure(ABSENT, None)
            spread = "" if cell.sd is None else f" ± {hundredths(cell.sd)}"
            return Figure(f"{hundredths(cell.mean)}{sign(line.rows, metric)}{spread}", cell.mean)

        gain = self.gain
        interval = ABSENT if gain.low is None else f"{points(gain.low)} to {points(gain.high)}"
        return (
            Figure(exact(self.labels), self.labels),
            level(self.start, f"{LINEAR}{self.share}"),
            level(self.line, "test_top1"),
            Figure(f"{points(gain.mean)}{self.mark}", gain.mean),
            Figure(interval, gain.low),
            level(self.start, f"{TOP5}{self.share}"),
            level(self.line, "test_top5"),
            Figure(str(gain.n), gain.n),
        )

    @property
    def mark(self) -> str:
        """Of test images that leaked."""
        return sign((*self.line.rows, *self.start.rows), LINEAR)


def beside_probes(found: Comparison) -> list[Beside]:
    """Every fine-tuned model at its last checkpoint whose beginning was probed with equal labels.

    A beginning that kept two checkpoints is left out: only the last one's features are probed.
    """
    chosen = {row.identity for row in found.rows if row.checkpoint == "best"}
    probed = {
        row.identity: (row, line)
        for line in found.frozen
        for row in line.rows
        if row.identity not in chosen
    }
    return [
        one
        for line in found.at("last")
        if line.stage == FINE_TUNED
        if (one := _beside(line, probed)) is not None
    ]


def told(found: Comparison) -> Iterator[str]:
    """What a fine-tuning gains over a probe: a sentence for each, or for each number of labels."""
    every = beside_probes(found)
    if len(every) <= MOST_TOLD:
        yield from (_sentence(one, every) for one in every)
        return
    for labels in dict.fromkeys(one.labels for one in every):
        equal = [one for one in every if one.labels == labels]
        yield _range(equal) if len(equal) > 1 else _sentence(equal[0], every)


def place(one: Beside, among: list[Beside]) -> str:
    """The axes that tell it from the others."""
    axes = telling([other.line for other in among])
    return setting({axis: value for axis, value in one.line.axes.items() if axis in axes})


def _beside(line: Line, probed: dict[str, tuple[Row, Line]]) -> Beside | None:
    begun = {row.seed: (row, *probed[row.start]) for row in line.rows if row.start in probed}
    shares = {_share_of(start, row.labels) for row, start, _ in begun.values()}
    (share,) = shares if len(shares) == 1 else (None,)
    figures = {
        seed: (row.test_top1, start.probes.get(f"{LINEAR}{share}".removeprefix(PREFIX)))
        for seed, (row, start, _) in begun.items()
    }
    known = {
        seed: own - probe
        for seed, (own, probe) in figures.items()
        if own is not None and probe is not None
    }
    if share is None or not known:
        return None
    row, _, start = next(iter(begun.values()))
    gain = difference(list(known.values()), seeds=list(known))
    starts = {begun[seed][1].run for seed in known}
    gain = replace(gain, is_with_one_run=len(known) > 1 and len(starts) == 1)
    return Beside(line, start, labels=row.labels or 0, share=share, gain=gain)


def _share_of(start: Row, labels: int | None) -> str | None:
    """What the names of those figures end with whose probe has read so many labels."""
    name = LABELS.removeprefix(PREFIX)
    of_count = {
        key.removeprefix(name): value for key, value in start.probes.items() if key.startswith(name)
    }
    return next((at for at, count in of_count.items() if count == labels), None)


def _sentence(one: Beside, every: list[Beside]) -> str:
    where = place(one, every)
    cell = one.line.cell("test_top1")
    return (
        f"{where + ': ' if where else ''}Fine-tuned with {exact(one.labels)} labels, "
        f"{called(one.line.name)} reaches {percent(cell.mean if cell else None)}{one.mark} of the "
        f"test images: {points(one.gain.mean)}{one.mark} points against a linear probe of the "
        f"features that it began with, which has read as many ({_evidence(one.gain)})."
    )


def _evidence(gain: Difference) -> str:
    if gain.n == 1:
        return "one run of each"
    if gain.low is None:
        return f"equal in all {gain.n} seeds"
    return f"95 % interval {points(gain.low)} to {points(gain.high)}, {pairs(gain)}"


def _range(every: list[Beside]) -> str:
    ranked = sorted(every, key=lambda one: one.gain.mean)
    are_named = len({one.line.name for one in every}) > 1

    def which(one: Beside) -> str:
        parts = (called(one.line.name) if are_named else "", place(one, every))
        return ", ".join(part for part in parts if part)

    low, high = (
        f"{points(one.gain.mean)}{one.mark} points ({which(one)})"
        for one in (ranked[0], ranked[-1])
    )
    better, worse = (
        sum(one.gain.is_shown and (one.gain.mean > 0) is up for one in every)
        for up in (True, False)
    )
    single = all(one.gain.n == 1 for one in every)
    shown = (
        "one run of each shows no spread"
        if single
        else f"shown to be better in {better}, worse in {worse}"
    )
    return (
        f"Fine-tuned with {exact(every[0].labels)} labels, {plural(len(every), 'setting')} differ "
        "from linear probes of the features that they began with, which have read as many, by "
        f"{low} to {high}: {shown}."
    )
