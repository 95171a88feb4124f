"""Settings given without their `kind` are of one that is implied, and a kind alone is enough."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from understudy.core.annotations import inside, is_model, kinds_of, members_of


class ImpliedKind(NamedTuple):
    """Marks a choice of kinds where the other values may tell which is meant."""

    of: Callable[[Mapping[str, Any]], str | None]
    """The kind that values imply; None where they imply none."""


def with_default_kinds(model: type[BaseModel], values: Any) -> Any:
    """The values with every `kind` that is left out, or null, where one is implied or the default.

    So `optimizer: {learning_rate: 0.1}` changes the default optimizer, and `optimizer: adamw` is
    the kind of that name with its defaults, as `regression` is in `terms: [regression]`. Settings
    in lists that leave their kind out, and where no kind is the default, stay as given. Where
    values imply a kind, as a path does, a word alone stays what it is.
    """
    if not isinstance(values, Mapping):
        return values
    return {
        key: _completed(model, key, value) if key in model.model_fields else value
        for key, value in values.items()
    }


def _completed(model: type[BaseModel], key: str, value: Any) -> Any:
    field, here = model.model_fields[key], members_of(model, key)
    marks = [mark for mark in field.metadata if isinstance(mark, ImpliedKind)]
    if not marks:
        value = _spelled_out(here, value)
    if not isinstance(value, Mapping):
        return value
    given = value
    if value.get("kind") is None:
        implied = next((kind for mark in marks if (kind := mark.of(value))), None)
        kind = implied or getattr(field.default, "kind", None)
        given = value if kind is None else {**value, "kind": kind}
    for member in here:
        if is_model(member) and (not kinds_of(member) or given.get("kind") in kinds_of(member)):
            return with_default_kinds(member, given)
    return given


def _spelled_out(here: Sequence[Any], value: Any) -> Any:
    """A word as the kind of that name, where nothing but settings of some kind may stand."""
    if isinstance(value, list | tuple):
        return [_spelled_out(inside(here, place), each) for place, each in enumerate(value)]
    is_choice = bool(here) and all(kinds_of(member) for member in here)
    return {"kind": value} if is_choice and isinstance(value, str) else value
