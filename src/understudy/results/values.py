"""Values of JSON files that other programs wrote: what is absent or odd becomes None or empty."""

import json
from pathlib import Path
from typing import Any

LARGEST = 1e30  # nothing measured is larger; a damaged figure must not overflow sums and axes


def number(value: Any) -> float | None:
    """The value if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= LARGEST else None


def whole(value: Any) -> int | None:
    """The value if it is a whole number."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def text(value: Any) -> str:
    """The value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a JSON array."""
    return tuple(item for item in listing(value) if isinstance(item, str))


def read_object(path: Path) -> tuple[dict[str, Any], str]:
    """Reads a JSON object.

    Returns:
        The object, empty where there is none, and why it could not be read ("" where it could or
        where there is no such file).
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        return {}, f"{path.name} cannot be read ({reason})."
    if not isinstance(content, dict):
        return {}, f"{path.name} holds {type(content).__name__}, not an object."
    return content, ""
