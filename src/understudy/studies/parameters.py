"""The parameters of a study: which keys there are, and which of them any stage reads."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from understudy.core.wording import closest

WORDS = ("machine", "scale", "seeds")
"""Keys that every study takes beside its parameters."""
BUDGET = "budget"
"""The parameter that is read before the stages are, where a study says how to spend it."""


def unknown(
    keys: Iterable[str], parameters: Mapping[str, Any], read: Iterable[str]
) -> dict[str, str]:
    """Keys that no parameter has, and keys inside parameters that nothing reads.

    Args:
        keys: Dotted keys to look at.
        parameters: The study's.
        read: The dotted keys that its stages refer to.

    Returns:
        A sentence for each.
    """
    paths = set(read)
    found = {}
    for key in keys:
        name = key.split(".")[0]
        if name not in parameters:
            found[key] = f"{key}  unknown parameter; {_nearest(key, parameters)}"
        elif not any(is_around(key, path) or is_around(path, key) for path in paths):
            beside = ", ".join(sorted(path for path in paths if path.split(".")[0] == name))
            found[key] = f"{key}  is read by no stage of this study; read: {beside or 'none'}"
    return found


def leaves(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key that holds something else than a mapping, and what it holds."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def is_around(outer: str, inner: str) -> bool:
    """Whether the inner key is the outer one or lies inside it."""
    return f"{inner}.".startswith(f"{outer}.")


def _nearest(key: str, parameters: Mapping[str, Any]) -> str:
    keys = [*_keys(parameters), *WORDS]
    same_end = (path for path in keys if path.endswith(f".{key}"))
    close = "seeds" if key == "seed" else next(same_end, None) or closest(key, keys)
    guess = f"did you mean {close!r}? " if close else ""
    return f"{guess}Known: {', '.join(sorted([*parameters, *WORDS]))}"


def _keys(values: Any, before: str = "") -> Iterator[str]:
    """Every dotted key, outer ones first."""
    if isinstance(values, Mapping):
        yield from (f"{before}{key}" for key in values)
        for key, inner in values.items():
            yield from _keys(inner, f"{before}{key}.")
