"""The words of a command line, told apart."""

from pathlib import Path


def name_first(name: str, words: tuple[str, ...], *, otherwise: str) -> tuple[str, tuple[str, ...]]:
    """Lets `understudy run seeds=1` do without the name.

    Args:
        name: The first word, which may be a `key=value` word.
        words: Those behind it.
        otherwise: The name where there is none.
    """
    return (otherwise, (name, *words)) if "=" in name and not Path(name).exists() else (name, words)
