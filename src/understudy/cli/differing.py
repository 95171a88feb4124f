"""The settings of a run that differ from the defaults, from the generated reference: no torch."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from understudy.cli.settings_help import reference
from understudy.core.overrides import written

POSITION = re.compile(r"\[\d+\]")


def differing(stage: str, settings: Mapping[str, Any]) -> list[str]:
    """The words that would turn the defaults into these settings, as far as they are known.

    A setting that has no default, or that the reference does not know, is among them.
    """
    if stage not in reference()["stages"]:
        return written(dict(_leaves(settings, "")))
    known = reference()["stages"][stage]["settings"]
    return [
        word
        for key, value in _leaves(settings, "")
        if key != "stage" and not _is_default(key, value, settings, known)
        for word in written({key: value})
    ]


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Every key that holds a single value, or a list of single values."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(inner, Mapping | list) for inner in value):
        for position, inner in enumerate(value):
            yield from _leaves(inner, f"{key}[{position}]")
    else:
        yield key, value


def _is_default(key: str, value: Any, settings: Mapping[str, Any], known: list[Any]) -> bool:
    if key.endswith("].kind"):
        return _kinds_are_default(key.rpartition("[")[0], settings, known)
    plain = POSITION.sub("[i]", key)
    meant = [one for one in known if one["key"] == plain and _applies(one["only"], key, settings)]
    return any(one["default"] and _read(one["default"]) == value for one in meant)


def _kinds_are_default(key: str, settings: Mapping[str, Any], known: list[Any]) -> bool:
    """Whether a list chooses the kinds, in their order, that it has by default."""
    kinds = [
        str(value)
        for place, value in _leaves(settings, "")
        if POSITION.sub("[]", place) == f"{POSITION.sub('[]', key)}[].kind"
    ]
    plain = POSITION.sub("[i]", key)
    return any(one["key"] == plain and one["default"] == f"[{', '.join(kinds)}]" for one in known)


def _applies(only: str, key: str, settings: Mapping[str, Any]) -> bool:
    """Whether the choice is made under which there is this key."""
    if not only:
        return True
    chooser, _, kind = only.partition("=")
    positions = iter(POSITION.findall(key))
    place = re.sub(r"\[i\]", lambda _: next(positions, "[0]"), chooser)
    return dict(_leaves(settings, "")).get(place) == kind


def _read(default: str) -> Any:
    try:
        return json.loads(default)
    except ValueError:
        return default
