"""Settings: frozen, closed, documented; every mistake reported at once, the nearest key named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from understudy.core.default_kinds import with_default_kinds
from understudy.core.errors import UsageError
from understudy.core.misread import misread
from understudy.core.mistakes import Mistake, described
from understudy.core.wording import dotted, headed, nearest
from understudy.core.yaml import line_of

__all__ = [
    "Added",
    "Aside",
    "FileContent",
    "FilePath",
    "ParentRun",
    "RunPath",
    "Settings",
    "checked",
    "dotted",
    "headed",
    "mistakes_in",
    "nearest",
    "sentence",
]

Kind = TypeVar("Kind", bound="Settings")


class Aside:
    """Marks a field that cannot change a run's numbers, and so is left out of its identity."""


class Added:
    """Marks a field that came when there were runs already; at its default it is as if not there.

    So a run that was made before it is found by its identity, and never made again.
    """


class ParentRun:
    """Marks a field that holds the directory of a finished run."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tells the settings' reference that this is more than any path."""
        return {**handler(schema), "format": "run"}


class FileContent:
    """Marks a field that holds a file: a run is known by what is in it, not by where it lies."""


FilePath = Annotated[Path, FileContent()]
"""A file that a run reads beside its images."""
RunPath = Annotated[Path, ParentRun()]
"""The directory of a finished run; in a study, `@name` of another stage."""


class Settings(BaseModel):
    """Base of all settings: unknown keys are errors, values never change, defaults are checked."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _of_default_kinds(cls, values: Any) -> Any:
        return with_default_kinds(cls, values)


def checked(kind: type[Kind], values: Mapping[str, Any], origin: str) -> Kind:
    """Builds settings, or reports every mistake in one message.

    Args:
        kind: The settings class.
        values: What the user gave, as YAML reads it.
        origin: Where it came from, to head the message: a file, or "command line".

    Raises:
        UsageError: Some key is unknown or some value not allowed.
    """
    mistakes = mistakes_in(kind, values)
    if mistakes:
        raise UsageError(headed(origin, [sentence(values, mistake) for mistake in mistakes]))
    return kind.model_validate(values)


def mistakes_in(kind: type[Settings], values: Mapping[str, Any]) -> list[Mistake]:
    """Everything that is wrong with the values; empty where `checked` would build settings."""
    values = with_default_kinds(kind, values)
    unmeant = misread(kind, values)
    try:
        kind.model_validate(values)
    except ValidationError as error:
        return unmeant + described(kind, values, error.errors(include_url=False))
    return unmeant


def sentence(values: Mapping[str, Any], mistake: Mistake) -> str:
    """A mistake as one line, with the line of the file where the values tell it."""
    line = line_of(values, mistake.location)
    where = f" (line {line})" if line else ""
    return f"{dotted(mistake.location) or 'settings'}{mistake.text}{where}"
