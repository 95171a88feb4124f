"""Settings given without their `kind` are of the kind that stands there by default."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from understudy.core.annotations import is_model, kinds_of, members


def with_default_kinds(model: type[BaseModel], values: Any) -> Any:
    """The values with every `kind` that is left out where the model has a default of some kind.

    So `optimizer: {learning_rate: 0.1}` changes the default optimizer. What lies in lists, and
    where no kind is the default, stays as given.
    """
    if not isinstance(values, Mapping):
        return values
    return {
        key: _completed(model.model_fields[key], value) if key in model.model_fields else value
        for key, value in values.items()
    }


def _completed(field: FieldInfo, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    default = getattr(field.default, "kind", None)
    given = {"kind": default, **value} if default is not None else value
    for member in members(field.annotation):
        if is_model(member) and (not kinds_of(member) or given.get("kind") in kinds_of(member)):
            return with_default_kinds(member, given)
    return given
