"""The class list of a source that gives each image a class by name."""

import re
from collections.abc import Iterable

from understudy.data.check.finding import Finding
from understudy.data.sources.listing import quoted

_DIGITS = re.compile(r"([0-9]+)")


def class_list(
    found: Iterable[tuple[str, str | None]],
) -> tuple[tuple[str, ...], list[Finding]]:
    """The training classes in their natural order; every other split may only use these.

    Classes that another split has beyond them are a problem, and stand behind them in the list,
    so that a check can count their images.

    Args:
        found: Split and class name of every image; None: unlabeled.
    """
    by_split: dict[str, set[str]] = {}
    for split, name in set(found):
        if name is not None:
            by_split.setdefault(split, set()).add(name)
    known = by_split.get("train", set()) | by_split.get("", set())
    ordered = sorted(known, key=_natural)
    strange = {split: by_split.get(split, set()) - known for split in ("val", "test")}
    problems = [
        _strange_classes(sorted(names, key=_natural), ordered, split=split)
        for split, names in strange.items()
        if names
    ]
    return (*ordered, *sorted(set().union(*strange.values()), key=_natural)), problems


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Orders by name, but numbers inside by their value: class 2 comes before class 10."""
    parts = [
        (len(part.lstrip("0")), part.lstrip("0")) if number % 2 else (0, part)
        for number, part in enumerate(_DIGITS.split(name))
    ]
    return parts, name


def _strange_classes(strange: list[str], known: list[str], *, split: str) -> Finding:
    sentence = (
        f"the {split} split has classes that train lacks: {quoted(strange)}. "
        f"The classes of train are: {quoted(known)}. "
        "Rename them, so that equal classes have equal names."
    )
    return Finding("extra classes", "error", sentence, tuple(strange), len(strange))
