"""What may be said of several runs together: means over seeds, and differences paired by seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean, stdev

from scipy.special import stdtrit

from understudy.results.binary import METRICS as OF_TWO
from understudy.results.binary import PREFIX as BINARY
from understudy.results.errors import ReportError
from understudy.results.formats import listed
from understudy.results.probes import PREFIX
from understudy.results.rows import Row

METRICS = (
    *("parameters", "labels", "steps", "seconds", "val_top1", "test_top1", "test_top5"),
    "train_top1",
    *("test_macro_f1", "test_ece", "test_nll", "agreement", "latency_ms"),
    *("latency_ms_64", "macs", "file_bytes"),
)
CONFIDENCE = 0.95
NO_SPREAD = 1e-12  # of differences that are equal but for the rounding of floats


@dataclass(frozen=True)
class Cell:
    """A mean over the seeds of one configuration."""

    mean: float
    sd: float | None
    """Sample standard deviation; None for one run, which has no spread to show."""
    n: int
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """How much more one has than another, seed by seed."""

    mean: float
    sd: float | None
    n: int
    low: float | None
    """Ends of the 95 % interval (Student's t over the paired differences); None for one pair, and
    for several that are equal, as few seeds on few test images may be: they show no spread."""
    high: float | None
    seeds: tuple[int | None, ...]
    values: tuple[float, ...]
    """One difference per seed, in the order of `seeds`."""
    is_with_one_run: bool = False
    """Whether one side is a single run of no seed, such as the ensemble of all seeds."""

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def verdict(self) -> str:
        """What may be said of it in three words."""
        if self.n == 1:
            return "one pair"
        if not self.is_shown:
            return "no difference shown"
        return "better" if self.mean > 0 else "worse"


def summarize(rows: Sequence[Row], metric: str) -> Cell | None:
    """Mean and standard deviation over seeds; None where no row has the metric.

    A run that stands for several seeds, as a shared teacher does, is counted once.

    Raises:
        ReportError: The rows come from several configurations or checkpoints.
    """
    _refuse_mixture(rows, metric)
    found = {row.run: value for row in rows if (value := value_of(row, metric)) is not None}
    if not found:
        return None
    values = list(found.values())
    return Cell(
        mean=fmean(values),
        sd=stdev(values) if len(values) > 1 else None,
        n=len(values),
        runs=tuple(found),
    )


def paired(of: Sequence[Row], against: Sequence[Row], metric: str) -> Difference | None:
    """The differences `of` - `against` between runs of the same seed; None without such a pair.

    Where the others are what these learned from, each is compared with its own, whatever the seeds:
    one teacher may serve all. A run of no seed, such as the ensemble of all seeds, is compared with
    the other side's run of every seed. The interval is then of those seeds alone.

    Args:
        of: Rows whose gain is asked for, of one checkpoint.
        against: Rows that they are compared with, of one checkpoint.
        metric: A numeric column.

    Raises:
        ReportError: Either side has rows of several configurations or checkpoints.
    """
    pairs = _pairs(of, against, metric)
    if not pairs:
        return None
    values = [one - other for one, other in pairs.values()]
    with_one = len({_is_of_no_seed(rows, metric) for rows in (of, against)}) > 1 or (
        len(pairs) > 1 and len({row.run for row in against}) == 1
    )
    return replace(difference(values, seeds=list(pairs)), is_with_one_run=with_one)


def ratio(of: Sequence[Row], against: Sequence[Row], metric: str) -> Cell | None:
    """How much of the other's each has, `of` / `against`, seed by seed; None without a pair.

    Raises:
        ReportError: Either side has rows of several configurations or checkpoints.
    """
    pairs = _pairs(of, against, metric)
    values = [one / other for one, other in pairs.values() if other > 0]
    if not values:
        return None
    return Cell(
        mean=fmean(values),
        sd=stdev(values) if len(values) > 1 else None,
        n=len(values),
        runs=tuple(row.run for row in of),
    )


def difference(values: Sequence[float], *, seeds: Sequence[int | None]) -> Difference:
    """Mean and interval of paired differences.

    Args:
        values: One for each pair, at least one.
        seeds: Of the pairs.
    """
    mean, sd, n = fmean(values), stdev(values) if len(values) > 1 else None, len(values)
    is_spread = sd is not None and sd > NO_SPREAD
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * sd / sqrt(n) if sd and is_spread else None
    return Difference(
        mean=mean,
        sd=sd,
        n=n,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        seeds=tuple(seeds),
        values=tuple(values),
    )


def _pairs(
    of: Sequence[Row], against: Sequence[Row], metric: str
) -> dict[int | None, tuple[float, float]]:
    """Both sides' values by seed."""
    found = {}
    for seed, (one, other) in paired_rows(of, against, metric).items():
        value, others = value_of(one, metric), value_of(other, metric)
        if value is not None and others is not None:
            found[seed] = value, others
    return found


def paired_rows(
    of: Sequence[Row], against: Sequence[Row], metric: str
) -> dict[int | None, tuple[Row, Row]]:
    """By seed, each row that has the metric beside that which it learned from, or of its seed."""
    if taught := _by_descent(of, against, metric):
        return taught
    sides = [_by_seed(rows, metric) for rows in (of, against)]
    of_no_seed = [_is_of_no_seed(rows, metric) for rows in (of, against)]
    if any(of_no_seed) and not all(of_no_seed):
        single, others = sides if of_no_seed[0] else sides[::-1]
        spread = dict.fromkeys(others, single[None])
        sides = [spread, others] if of_no_seed[0] else [others, spread]
    return {seed: (sides[0][seed], sides[1][seed]) for seed in sides[0] if seed in sides[1]}


def _by_descent(
    of: Sequence[Row], against: Sequence[Row], metric: str
) -> dict[int | None, tuple[Row, Row]]:
    """Runs beside the only one of the others that they learned from; empty where there is none."""
    for rows in (of, against):
        _refuse_mixture(rows, metric)
    known = {row.identity: row for row in against if value_of(row, metric) is not None}
    found = {}
    for row in of:
        theirs = [known[origin] for origin in row.origins if origin in known]
        if value_of(row, metric) is not None and len(theirs) == 1:
            found[row.seed] = row, theirs[0]
    return found


def _is_of_no_seed(rows: Sequence[Row], metric: str) -> bool:
    return set(_by_seed(rows, metric)) == {None}


def _by_seed(rows: Sequence[Row], metric: str) -> dict[int | None, Row]:
    _refuse_mixture(rows, metric)
    return {row.seed: row for row in rows if value_of(row, metric) is not None}


def _refuse_mixture(rows: Sequence[Row], metric: str) -> None:
    mixed = {(row.configuration, row.checkpoint): row for row in rows}
    if len(mixed) > 1:
        examples = [f"{row.run} ({row.checkpoint})" for row in mixed.values()][:3]
        raise ReportError(
            f"{metric}: rows come from {len(mixed)} different configurations, such as "
            f"{listed(examples)}. Summarize each configuration and checkpoint for itself."
        )


def value_of(row: Row, metric: str) -> float | None:
    """A numeric column of a row.

    Raises:
        ReportError: There is no such column.
    """
    if metric.startswith(PREFIX):
        return row.probes.get(metric.removeprefix(PREFIX))
    if metric in OF_TWO:
        return row.binary.get(metric.removeprefix(BINARY))
    if metric not in METRICS:
        raise ReportError(
            f"{metric!r} is no numeric column. Known: {', '.join((*METRICS, *OF_TWO))}, {PREFIX}*."
        )
    value: float | None = getattr(row, metric)
    return value
