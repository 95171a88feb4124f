"""What pydantic would read as something that nobody meant: `true` as 1, no path as this folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from understudy.core.annotations import inside, kinds_of, members, takes_booleans
from understudy.core.mistakes import Mistake
from understudy.core.wording import Location


def misread(annotation: Any, values: Any, location: Location = ()) -> list[Mistake]:
    """`lr: true`, and `path: ''`, which a shell makes of a variable that is not set."""
    here = members(annotation)
    if isinstance(values, bool):
        wrong = bool(here) and not any(takes_booleans(member) for member in here)
        return [Mistake(location, f" = {values}  must not be true or false")] if wrong else []
    if values == "" and Path in here and str not in here:
        return [Mistake(location, " = ''  must be a path; `.` is the current folder")]
    return [
        mistake
        for part, value in _items(values)
        for mistake in misread(_narrowed(here, values, part), value, (*location, part))
    ]


def _items(values: Any) -> list[tuple[int | str, Any]]:
    if isinstance(values, Mapping):
        return list(values.items())
    return list(enumerate(values)) if isinstance(values, list | tuple) else []


def _narrowed(here: Sequence[Any], values: Any, part: int | str) -> Any:
    """The annotation inside the alternative that the values are of; Any where none is."""
    kind = values.get("kind") if isinstance(values, Mapping) else None
    fitting = [member for member in here if not kinds_of(member) or kind in kinds_of(member)]
    return next((_union(inner) for m in fitting if (inner := inside([m], part))), Any)


def _union(alternatives: Sequence[Any]) -> Any:
    return Union[tuple(alternatives)]  # noqa: UP007 - built from a list
