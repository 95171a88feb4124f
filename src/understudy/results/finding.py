"""A sentence that a program can vouch for, and the words that such sentences share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.results.comparison import Contrast, Line

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


def place(thing: Line | Contrast, among: Sequence[Line | Contrast]) -> str:
    """What tells this one's place in a sentence from the others': study and axes, or nothing."""
    studies = {other.study for other in among}
    parts = [thing.study if len(studies) > 1 else "", setting(thing.axes)]
    return ", ".join(part for part in parts if part)
