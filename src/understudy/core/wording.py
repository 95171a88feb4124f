"""How mistakes are put into words: one line each, with the key as users write it."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HEADING = re.compile(r": \d+ mistakes?$")
Location = tuple[int | str, ...]
"""Where a value lies: keys of mappings and positions in lists, outermost first."""


def headed(origin: str, mistakes: Sequence[str]) -> str:
    """A list of mistakes under a heading that counts them."""
    unique = list(dict.fromkeys(mistakes))
    count = "1 mistake" if len(unique) == 1 else f"{len(unique)} mistakes"
    return "\n".join([f"{origin}: {count}", *(f"  {mistake}" for mistake in unique)])


def unheaded(text: str) -> list[str]:
    """The mistakes of such a list; any other text is one."""
    heading, *lines = text.splitlines() or [""]
    return [line.strip() for line in lines] if HEADING.search(heading) else [text]


def nearest(found: str, known: Sequence[str]) -> str:
    """A phrase naming the closest known word and all others, to end an error sentence."""
    close = closest(found, known)
    guess = f"did you mean {close!r}? " if close else ""
    return f"{guess}Known: {', '.join(sorted(known)) or 'none'}"


def closest(found: str, known: Sequence[str]) -> str | None:
    """The known word that the user most likely meant, if any is near."""
    return next(iter(difflib.get_close_matches(found, known, n=1, cutoff=0.5)), None)


def dotted(location: Sequence[int | str]) -> str:
    """A location as users write it: `terms[0].weight`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).lstrip(".")


def named(value: Any) -> str:
    """What the value of an axis is called: by its `name` if it is a mapping that has one."""
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: object) -> str:
    """A value as an error shows it: text in quotes, nothing longer than a line."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
