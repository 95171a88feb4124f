"""`true` where a number is meant: pydantic reads it as 1, we refuse it."""

from collections.abc import Mapping, Sequence
from typing import Any, Union

from understudy.core.annotations import inside, kinds_of, members, takes_booleans
from understudy.core.mistakes import Mistake
from understudy.core.wording import Location


def misplaced_booleans(annotation: Any, values: Any, location: Location = ()) -> list[Mistake]:
    """`lr: true`, which pydantic would read as 1."""
    here = members(annotation)
    if isinstance(values, bool):
        wrong = bool(here) and not any(takes_booleans(member) for member in here)
        return [Mistake(location, f" = {values}  must not be true or false")] if wrong else []
    return [
        mistake
        for part, value in _items(values)
        for mistake in misplaced_booleans(_narrowed(here, values, part), value, (*location, part))
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
