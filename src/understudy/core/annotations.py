"""Reading the annotations of settings: alternatives, kinds, and what lies one key further in."""

import types
import typing
from collections.abc import Sequence
from functools import cache
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


@cache
def members_of(model: type[BaseModel], key: str) -> tuple[Any, ...]:
    """The alternatives of a field, found once: a plan looks at the same fields for every run."""
    return tuple(members(model.model_fields[key].annotation))


def is_model(annotation: Any) -> bool:
    """Whether an annotation is a class of settings."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def kinds_of(model: Any) -> tuple[Any, ...]:
    """The values of a model's `kind`, by which a union tells its members apart."""
    return _kinds_of(model) if is_model(model) else ()


@cache
def _kinds_of(model: type[BaseModel]) -> tuple[Any, ...]:
    field: FieldInfo | None = model.model_fields.get("kind")
    return typing.get_args(field.annotation) if field else ()


def inside(here: Sequence[Any], part: int | str) -> list[Any]:
    """The alternatives one key or position further in; none where nothing is known of it."""
    for member in here:
        if is_model(member):
            return list(members_of(member, str(part))) if part in member.model_fields else []
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
