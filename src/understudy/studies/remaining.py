"""How long a study will still take, as far as its own runs tell; unknown where they do not."""

from collections.abc import Collection, Iterable, Mapping
from statistics import fmean

from understudy.studies.plan import Node


def waiting(nodes: Iterable[Node], *, done: Collection[str], lost: Collection[str]) -> list[Node]:
    """The runs that are still to be done.

    Args:
        nodes: Runs, each after those that it builds on.
        done: Keys of those that are finished, or that another study has finished.
        lost: Keys of those that failed; what builds on them will not be done.
    """
    gone = set(lost)
    left = []
    for node in nodes:
        if any(parent.key in gone for parent in node.parents.values()):
            gone.add(node.key)
        elif node.key not in done and node.key not in gone:
            left.append(node)
    return left


def seconds_left(
    nodes: Iterable[Node], *, taken: Mapping[str, float], planned: Iterable[Node]
) -> float | None:
    """About how long some runs will take together; None where for one of them nothing is known.

    A run is taken to last as long as those of its name did: of its own choices but the seed where
    there are such, else of any.

    Args:
        nodes: The runs that are still to be done.
        taken: Seconds of finished runs, by key.
        planned: All runs of the study.
    """
    seen = [(node, taken[node.key]) for node in planned if node.key in taken]
    estimates = [_like(node, seen) for node in nodes]
    known = [estimate for estimate in estimates if estimate is not None]
    return sum(known) if len(known) == len(estimates) else None


def _like(node: Node, seen: Iterable[tuple[Node, float]]) -> float | None:
    named = [(other, seconds) for other, seconds in seen if other.name == node.name]
    same = [seconds for other, seconds in named if other.axes == node.axes]
    values = same or [seconds for _, seconds in named]
    return fmean(values) if values else None


def about(seconds: float) -> str:
    """An estimate as coarse as it is: `about 12 min`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 90 else f"about {seconds / 3600:.1f} h"
