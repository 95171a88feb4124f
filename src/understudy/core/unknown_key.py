"""What to say of a key that no settings have: the nearest one, or the kind that it belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from understudy.core.annotations import inside, is_model, kinds_of, members
from understudy.core.wording import Location, closest, nearest


def unknown_key(kind: type[BaseModel], location: Location, around: Sequence[Any]) -> str:
    """The end of the sentence `lrr  unknown key; ...`.

    Args:
        kind: The outermost settings.
        location: Of the key.
        around: The class of settings that was given the key.
    """
    name = str(location[-1])
    model = next((member for member in around if is_model(member)), None)
    fields: Mapping[str, FieldInfo] = model.model_fields if model else {}
    known_here = f"Known here: {', '.join(sorted(fields))}"
    others = _other_kinds(kind, location)
    if others:
        return f"it belongs to kind={' or '.join(others)}. {known_here}"
    elsewhere = _key_named(kind, name)  # the same word elsewhere is nearer than a similar one here
    if elsewhere:
        return f"did you mean {elsewhere!r}? {known_here}"
    close = closest(name, list(fields))
    default = fields[close].default if close else None
    phrase = nearest(name, list(fields))
    if isinstance(default, int | float | str) and default != "":
        return phrase.replace("?", f" (default {default})?", 1)
    return phrase


def _other_kinds(kind: type[BaseModel], location: Location) -> list[str]:
    """The kinds that have the key, where there is a choice of kinds."""
    here: list[Any] = [kind]
    for part in location[:-1]:
        here = [inner for member in here for inner in inside([member], part)]
    having = [member for member in here if is_model(member) and location[-1] in member.model_fields]
    return list(dict.fromkeys(str(tag) for member in having for tag in kinds_of(member)))


def _key_named(kind: type[BaseModel], name: str, before: str = "") -> str | None:
    """The dotted key of the outermost setting of that name: `plan.epochs` for `epochs`."""
    if before and name in kind.model_fields:
        return f"{before}{name}"
    inner = (
        _key_named(member, name, f"{before}{key}.")
        for key, field in kind.model_fields.items()
        for member in members(field.annotation)
        if is_model(member)
    )
    return next((found for found in inner if found), None)
