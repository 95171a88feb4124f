"""The class list of a source that gives each image a class by name."""

import re
from collections.abc import Iterable

from understudy.core.errors import DataError
from understudy.data.sources.listing import named

_DIGITS = re.compile(r"([0-9]+)")


def class_list(found: Iterable[tuple[str, str | None]], *, origin: str) -> tuple[str, ...]:
    """The training classes in their natural order; every other split may only use these.

    Args:
        found: Split and class name of every image; None: unlabeled.
        origin: The source, as messages name it.

    Raises:
        DataError: Validation or test images are of a class that no training image has.
    """
    by_split: dict[str, set[str]] = {}
    for split, name in set(found):
        if name is not None:
            by_split.setdefault(split, set()).add(name)
    known = by_split.get("train", set()) | by_split.get("", set())
    for split in ("val", "test"):
        _must_be_known(by_split.get(split, set()) - known, known, split=split, origin=origin)
    return tuple(sorted(known, key=_natural))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Orders by name, but numbers inside by their value: class 2 comes before class 10."""
    parts = [
        (len(part.lstrip("0")), part.lstrip("0")) if number % 2 else (0, part)
        for number, part in enumerate(_DIGITS.split(name))
    ]
    return parts, name


def _must_be_known(strange: set[str], known: set[str], *, split: str, origin: str) -> None:
    if strange:
        raise DataError(
            f"{origin}: the {split} split has classes that train lacks: "
            f"{named(sorted(strange, key=_natural))}. "
            f"The classes of train are: {named(sorted(known, key=_natural))}. "
            "Rename them, so that equal classes have equal names."
        )
