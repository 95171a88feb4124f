"""Reading the annotations of settings: alternatives, kinds, and what lies one key further in."""

import types
import typing
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def members(annotation: Any) -> list[Any]:
    """The alternatives of an annotation, with Annotated and None taken off."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return members(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [inner for part in typing.get_args(annotation) for inner in members(part)]
    return [] if annotation is type(None) else [annotation]


def is_model(annotation: Any) -> bool:
    """Whether an annotation is a class of settings."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def kinds_of(model: Any) -> tuple[Any, ...]:
    """The values of a model's `kind`, by which a union tells its members apart."""
    field: FieldInfo | None = model.model_fields.get("kind") if is_model(model) else None
    return typing.get_args(field.annotation) if field else ()


def inside(here: Sequence[Any], part: int | str) -> list[Any]:
    """The alternatives one key or position further in; none where nothing is known of it."""
    for member in here:
        if is_model(member):
            field = member.model_fields.get(part)
            return members(field.annotation) if field else []
        arguments = [argument for argument in typing.get_args(member) if argument is not Ellipsis]
        if arguments:
            return members(arguments[-1])  # dict[str, X], list[X], tuple[X, ...]
    return []


def tried(here: Sequence[Any], tag: str) -> list[Any]:
    """Which alternatives pydantic means by the name that it puts into an error's location."""
    if tag.startswith("tagged-union"):
        return [member for member in here if kinds_of(member)]
    of_kind = [member for member in here if tag in kinds_of(member)]
    of_name = [member for member in here if is_model(member) and member.__name__ in tag]
    others = [member for member in here if not is_model(member)]
    return (of_kind or of_name or others or [None])[:1]


def takes_booleans(member: Any) -> bool:
    """Whether `true` may be meant where this alternative stands."""
    if typing.get_origin(member) is Literal:
        return any(isinstance(value, bool) for value in typing.get_args(member))
    return member in (bool, Any, object)
