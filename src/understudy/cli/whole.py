"""A whole number as a person writes it; what is not one is refused and not rounded."""

from collections.abc import Sequence
from typing import Any

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
