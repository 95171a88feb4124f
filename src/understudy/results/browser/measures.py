"""What the figures of rows are called, and how they are written."""

from collections.abc import Iterable, Sequence
from math import floor, log10

from understudy.results.binary import TITLES as OF_TWO
from understudy.results.browser.sheet import Measure, Run
from understudy.results.probes import parsed

TITLES = {
    "test_top1": "test accuracy",
    "test_top5": "test top-5 accuracy",
    "val_top1": "validation accuracy",
    "train_top1": "accuracy on the last training batches",
    "test_macro_f1": "test macro F1",
    "test_ece": "test calibration error",
    "test_nll": "test NLL",
    **OF_TWO,
    "agreement": "agreement with the teacher",
    "latency_ms": "latency, ms an image",
    "latency_ms_64": "latency, ms a batch of 64",
    "file_bytes": "bytes of the file",
    "macs": "multiplications an image",
    "seconds": "seconds of training",
    "f1": "F1",
    "auc": "AUC",
    "tp": "true positives",
    "fp": "false positives",
    "tn": "true negatives",
    "fn": "false negatives",
}
COSTS = frozenset(
    {
        *("parameters", "params", "latency_ms", "latency_ms_64", "latency", "macs", "flops"),
        *("seconds", "file_bytes", "size"),
    }
)
"""Figures along which others are drawn."""
FIGURES = 4  # significant ones of what is no share


def measures_of(runs: Sequence[Run]) -> tuple[Measure, ...]:
    """Every figure that any row has, in the order in which rows name them."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for name, value in run.figures.items():
            values.setdefault(name, []).append(value)
    return tuple(_measure(name, found) for name, found in values.items())


def _measure(name: str, values: Sequence[float]) -> Measure:
    probe = parsed(name)
    title = probe.title if probe else TITLES.get(name, name.replace("_", " "))
    if is_share(name, values):
        return Measure(name, title, scale=100.0, digits=2, unit=" %", of_differences=" points")
    return Measure(name, title, scale=1.0, digits=_digits(values), unit="", of_differences="")


def is_share(name: str, values: Iterable[float]) -> bool:
    """Whether a figure is told in per cent: within 0 and 1, and neither a loss nor a cost."""
    spoken = name.lower()
    if spoken in COSTS or "loss" in spoken or "nll" in spoken:
        return False
    found = list(values)
    return all(0 <= value <= 1 for value in found) and any(value % 1 for value in found)


def _digits(values: Sequence[float]) -> int:
    """Digits after the point that show `FIGURES` figures of the largest value."""
    if all(value == int(value) for value in values):
        return 0
    largest = max(map(abs, values))
    return max(0, FIGURES - 1 - floor(log10(largest))) if largest else 0


def level(measure: Measure, value: float | None) -> str:
    """A figure as it is written in tables; the page's script writes the same."""
    return (
        "–" if value is None else f"{measure.scale * value:,.{measure.digits}f}".replace("-", "−")
    )


def gain(measure: Measure, value: float | None) -> str:
    """A difference, with its sign; what rounds to nothing has none."""
    if value is None:
        return "–"
    text = f"{measure.scale * value:+,.{measure.digits}f}"
    return (text if any(one in "123456789" for one in text) else text[1:]).replace("-", "−")
