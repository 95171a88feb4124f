"""A whole number as a person writes it; what is not one is refused and not rounded."""

from collections.abc import Sequence
from typing import Any, Literal

from cyclopts import Token


def whole(_: Any, words: Sequence[Token]) -> int:
    """The number.

    Raises:
        ValueError: It is none.
    """
    try:
        return int(words[0].value)
    except ValueError:
        raise ValueError(f"{words[0].value!r} is not a whole number") from None


def whole_or_auto(kind: Any, words: Sequence[Token]) -> int | Literal["auto"]:
    """A number of at least one, or the word.

    Raises:
        ValueError: It is neither.
    """
    if words[0].value == "auto":
        return "auto"
    try:
        number = whole(kind, words)
    except ValueError as error:
        raise ValueError(f"{error}, nor auto") from None
    if number < 1:
        raise ValueError(f"{number} is less than 1")
    return number
