"""`key=value` words of the command line, laid over the values of a file."""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.core.errors import UsageError
from understudy.core.wording import headed, shown
from understudy.core.yaml import parse_value

KEY = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+|\[\d+\])*")


def parse_overrides(words: Sequence[str]) -> dict[str, Any]:
    """Reads `a.b=value` words; values are YAML, never code. The last of equal keys wins.

    Raises:
        UsageError: A word is not of that form; all such words are named.
    """
    mistakes: list[str] = []
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not KEY.fullmatch(key):
            mistakes.append(
                f"{shown(word)}  is not `key=value`, such as `seed=1` or `plan.epochs=20`"
            )
            continue
        found[plain_key(key)] = _value(text, key)
    if mistakes:
        raise UsageError(headed("command line", mistakes))
    return found


def plain_key(key: str) -> str:
    """`terms[0].weight` as `terms.0.weight`."""
    return key.replace("[", ".").replace("]", "")


def written(values: Mapping[str, Any]) -> list[str]:
    """The words that `parse_overrides` reads as these values: `a.b=1`, `c=[0.2, 1.0]`."""
    return [f"{key}={_text(value)}" for key, value in values.items()]


def _text(value: Any) -> str:
    is_itself = isinstance(value, str) and _value(value, "") == value
    return value if is_itself else json.dumps(value, ensure_ascii=False)


def with_data_path(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`data=PATH` written out as `data.path=PATH`."""
    return {
        "data.path" if key == "data" and not isinstance(value, dict) else key: value
        for key, value in overrides.items()
    }


def overlaid(
    base: Mapping[str, Any], overrides: Mapping[str, Any], origin: str = "command line"
) -> dict[str, Any]:
    """The base with dotted keys replaced; `terms.0.weight` reaches into lists.

    A mapping is laid over a mapping key by key. Choosing another `kind` drops the keys beside the
    old one: they belonged to it; a name alone, over a mapping of some kind, is such a choice.
    `origin` heads the message of an error.

    Raises:
        UsageError: A key leads into a single value or past a list's end; all such keys are named.
    """
    result: dict[str, Any] = copy.deepcopy(base if isinstance(base, dict) else dict(base))
    mistakes: list[str] = []
    for key, value in sorted(overrides.items(), key=_kinds_first):
        try:
            _place(result, key.split("."), copy.deepcopy(value))
        except LookupError as error:
            mistakes.append(f"{key}  {error.args[0]}")
    if mistakes:
        raise UsageError(headed(origin, mistakes))
    return result


def _value(text: str, key: str) -> Any:
    """A number, true, false, null, {...}, [...] or quoted text; all else is the text as it is.

    A path may look like YAML without being meant so: `a: b`, `a #1`, `[2024`.
    """
    try:
        value = parse_value(text, origin=key) if text else ""
    except UsageError:
        return text
    is_plain = isinstance(value, int | float | None)
    return value if is_plain or text.lstrip().startswith(("{", "[", "'", '"')) else text


def _kinds_first(item: tuple[str, Any]) -> tuple[bool, int]:
    """Outer keys before inner ones, so that a new kind drops nothing that was asked for."""
    parts = item[0].split(".")
    return parts[-1] != "kind", len(parts)


def _place(here: Any, parts: Sequence[str], value: Any) -> None:
    for part in parts[:-1]:
        here = _inside(here, part)
    last = parts[-1]
    if isinstance(here, list):
        position = _position(here, last)
        here[position] = _laid(here[position], value)
    elif last == "kind":
        _choose(here, value)
    else:
        here[last] = _laid(here.get(last), value)


def _laid(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and "kind" in old and isinstance(new, str):
        new = {"kind": new}
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    if "kind" in new and old.get("kind") != new["kind"]:
        old.clear()
    for key, value in new.items():
        old[key] = _laid(old.get(key), value)
    return old


def _choose(here: dict[str, Any], kind: Any) -> None:
    if here and "kind" not in here:
        keys = ", ".join(sorted(here))
        raise LookupError(f"stands beside {keys}, which are of no named kind; name theirs first")
    if here.get("kind") != kind:
        here.clear()
    here["kind"] = kind


def _inside(here: Any, part: str) -> Any:
    place: Any = _position(here, part) if isinstance(here, list) else part
    inner = here[place] if isinstance(here, list) else here.get(place)
    if inner is None:
        inner = here[place] = {}
    if not isinstance(inner, dict | list):
        raise LookupError(f"{part!r} is {shown(inner)}, a single value with no keys inside")
    return inner


def _position(items: list[Any], part: str) -> int:
    if part.isascii() and part.isdigit() and int(part) < len(items):
        return int(part)
    allowed = (
        f"a position from 0 to {len(items) - 1}" if items else "no position: the list is empty"
    )
    raise LookupError(f"{part!r} must be {allowed}")
