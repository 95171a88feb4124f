"""A sentence that a program can vouch for, and the words that such sentences share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.results.comparison import Contrast, Line
from understudy.results.formats import plural
from understudy.results.tables import Difference

ROLES = {"student": "the distilled student", "baseline": "its baseline", "teacher": "its teacher"}


@dataclass(frozen=True)
class Finding:
    """One sentence or two, computed from rows and summaries."""

    kind: Literal["result", "fact", "caution"]
    """What was gained, what else is so, what limits it."""
    text: str


def called(name: str) -> str:
    """How a sentence calls a model: by its role where it has a usual one."""
    return ROLES.get(name, f"“{name}”")


def alone(name: str) -> str:
    """How a sentence calls a model without another one beside it."""
    return f"the {name}" if name in ROLES else called(name)


def began(sentence: str) -> str:
    """The sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]


def setting(axes: Mapping[str, str]) -> str:
    """`depth = 8, method = dkd`."""
    return ", ".join(f"{axis} = {value}" for axis, value in axes.items())


def pairs(difference: Difference) -> str:
    """`3 paired seeds`, or `3 seeds against one run` where that stands for all."""
    return (
        f"{plural(difference.n, 'seed')} against one run"
        if difference.is_with_one_run
        else plural(difference.n, "paired seed")
    )


def telling(things: Sequence[Line | Contrast]) -> list[str]:
    """The axes that tell these apart: those of which they do not all have one value."""
    axes = dict.fromkeys(axis for thing in things for axis in thing.axes)
    return [axis for axis in axes if len({thing.axes.get(axis) for thing in things}) > 1]


def place(thing: Line | Contrast, among: Sequence[Line | Contrast]) -> str:
    """What tells this one's place in a sentence from the others': study and axes, or nothing."""
    studies, axes = {other.study for other in among}, telling(among)
    kept = {axis: value for axis, value in thing.axes.items() if axis in axes}
    parts = [thing.study if len(studies) > 1 else "", setting(kept)]
    return ", ".join(part for part in parts if part)
