"""How sure a model is, and how often it is then right: bins merged over the seeds of a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from understudy.results.evaluations import Figures
from understudy.results.values import listing, mapping, number

BINS = 15  # as evaluations write them


@dataclass(frozen=True)
class Bin:
    """Answers of about one confidence; shares are 0-1."""

    confidence: float
    """Mean probability of the answers."""
    accuracy: float
    share: float
    """Of all answers."""


def reliability(evaluations: Sequence[Figures]) -> list[Bin]:
    """The bins of all evaluations together, from low confidence to high.

    Each evaluation counts alike; within a bin, each by its share of images.
    """
    found: dict[int, list[Bin]] = {}
    told = 0
    for figures in evaluations:
        bins = [one for one in map(_bin, listing(figures.get("reliability"))) if one]
        told += bool(bins)
        for one in bins:
            found.setdefault(ceil(one.confidence * BINS), []).append(one)
    return [_merged(found[place], told) for place in sorted(found)]


def _bin(content: object) -> Bin | None:
    values = [number(mapping(content).get(key)) for key in ("confidence", "accuracy", "share")]
    known = [value for value in values if value is not None and 0 <= value <= 1]
    return Bin(*known) if len(known) == 3 and known[2] > 0 else None


def _merged(bins: Sequence[Bin], runs: int) -> Bin:
    share = sum(one.share for one in bins)
    return Bin(
        confidence=sum(one.confidence * one.share for one in bins) / share,
        accuracy=sum(one.accuracy * one.share for one in bins) / share,
        share=share / runs,
    )
