"""The words of a command line, told apart."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import UsageError

EMPTY = re.compile(r"(--[\w-]+=)?")


def must_be_there(words: Sequence[str]) -> None:
    """Refuses words without content, which would be taken for the current folder.

    Raises:
        UsageError: There is one; a shell makes it of a variable that is not set.
    """
    for place, word in enumerate(words, start=1):
        if EMPTY.fullmatch(word):
            told = f"{word} has no value" if word else f"word {place} is empty"
            raise UsageError(f"{told}. Is a variable of your shell not set?")


class Words(NamedTuple):
    """The words of a stage."""

    recipe: str
    """Its name or path; "" where there is none."""
    runs: tuple[str, ...]
    """Directories: finished runs to work on."""
    settings: tuple[str, ...]
    """`key=value`."""


def told_apart(words: Sequence[str], *, recipes: Sequence[str]) -> Words:
    """What each word of a stage is: a directory is a run, the first other name a recipe.

    Args:
        words: As they were typed.
        recipes: Names of shipped recipes, which stand for themselves whatever lies here.
    """
    runs = tuple(word for word in words if word not in recipes and Path(word).is_dir())
    rest = [word for word in words if word not in runs]
    names = [word for word in rest if "=" not in word or Path(word).exists()]
    if names:
        rest.remove(names[0])
    return Words(names[0] if names else "", runs, tuple(rest))


def name_first(name: str, words: tuple[str, ...], *, otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Lets `understudy run seeds=1` do without the name.

    Args:
        name: The first word, which may be a `key=value` word.
        words: Those behind it.
        otherwise: The name where there is none.
    """
    return (otherwise, (name, *words)) if "=" in name and not Path(name).exists() else (name, words)
