"""What evaluations tell of frozen features, as numbers by name."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from understudy.results.values import listing, mapping, number, whole

PREFIX = "probe."
"""What a metric's name begins with that comes from a probe."""
LINEAR = f"{PREFIX}linear_top1"
"""The figure that frozen features are judged by first."""
LINEAR_TOP5 = f"{PREFIX}linear_top5"
BEFORE = 20
"""Neighbours of the k-NN figure that earlier versions wrote without saying how many."""


class Probed(NamedTuple):
    """One figure of a probe, taken from the name of its metric."""

    kind: str
    """linear, or knn20 and the like."""
    figure: str
    """top1 or top5."""
    share: float
    """Of the labels; 1: all of them."""

    @property
    def title(self) -> str:
        """`linear at 1 %`, `k-NN 20`."""
        kind = self.kind.replace("knn", "k-NN ")
        at = f" at {100 * self.share:.3g} %" if self.share < 1 else ""
        top = ", top-5" if self.figure == "top5" else ""
        return f"{kind}{at}{top}"


def figures_of(probe: Mapping[str, Any]) -> dict[str, float]:
    """Every figure of a probe, by metrics' names without the prefix.

    `linear_top1`, `knn20_top5`, `labels`; with a share of the labels `linear_top1@1%`.
    """
    found = dict(_named(probe, ""))
    for one in map(mapping, listing(probe.get("shares"))):
        if share := number(one.get("share")):
            found |= _named(one, f"@{100 * share:.3g}%")
    return found


def _named(one: Mapping[str, Any], at: str) -> Iterator[tuple[str, float]]:
    labels = [whole(count) for count in mapping(one.get("labels")).values()]
    told: dict[str, Any] = {
        "linear_top1": one.get("linear_top1"),
        "linear_top5": one.get("linear_top5"),
        f"knn{BEFORE}_top1": one.get("knn_top1"),
    }
    for nearest in map(mapping, listing(one.get("knn"))):
        neighbours = whole(nearest.get("neighbours"))
        told |= {f"knn{neighbours}_{top}": nearest.get(top) for top in ("top1", "top5")}
    told["labels"] = sum(count or 0 for count in labels) if labels else None
    for name, value in told.items():
        if (known := number(value)) is not None:
            yield f"{name}{at}", known


def parsed(metric: str) -> Probed | None:
    """What a metric's name says; None where it is no accuracy of a probe."""
    name, _, share = metric.removeprefix(PREFIX).partition("@")
    kind, _, figure = name.rpartition("_")
    if not metric.startswith(PREFIX) or figure not in ("top1", "top5"):
        return None
    return Probed(kind, figure, float(share.removesuffix("%")) / 100 if share else 1.0)
