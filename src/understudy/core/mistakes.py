"""What pydantic found wrong, as sentences for the person who wrote the settings."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from understudy.core.annotations import inside, is_model, kinds_of, tried
from understudy.core.unknown_key import unknown_key
from understudy.core.wording import Location, nearest, shown

_WORDS = {  # pydantic's type of error: how we say it
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys",
    "int_from_float": "must be a whole number",
    "model_attributes_type": "must be a mapping of keys",
    "model_type": "must be a mapping of keys",
    "path_type": "must be a path; a folder called 2024 is written ./2024",
    "string_type": "must be text; put a number that is a name in quotes",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}
_NO_NUMBER = ("float_parsing", "float_type", "finite_number", "int_parsing", "int_type")
_LIMITS = {"gt": "above", "ge": "of at least", "lt": "below", "le": "up to"}


class Mistake(NamedTuple):
    """One thing that is wrong."""

    location: Location
    """Where, in the user's own words: the tags of unions are taken out."""
    text: str
    """What follows the key: ` = 9  must be ...`."""


def described(
    kind: type[BaseModel], values: Mapping[str, Any], errors: Sequence[ErrorDetails]
) -> list[Mistake]:
    """One mistake for each place and finding, however many alternatives pydantic tried there."""
    found = [_Step(error, *_walk(kind, error["loc"])) for error in errors]
    reasons: dict[tuple[Location, str], list[str]] = {}
    for step in _meant(found, values):
        about_kind = step.error["type"].startswith("union_tag")
        location = (*step.location, "kind") if about_kind else step.location
        found_text, reason = _sentence(kind, step)
        alternatives = reasons.setdefault((location, found_text), [])
        if reason not in alternatives:
            alternatives.append(reason)
    return [
        Mistake(location, f"{text}  {_either(alternatives)}")
        for (location, text), alternatives in reasons.items()
    ]


class _Step(NamedTuple):
    """An error, with its location cleaned and what stands around it."""

    error: ErrorDetails
    location: Location
    around: list[Any]
    """Alternatives of the annotation that holds the last part of the location."""
    here: list[Any]
    """Alternatives of the annotation at the location itself."""
    branches: tuple[tuple[Location, bool], ...]
    """At each union passed: where it is, and whether the branch tried was a class of settings."""


def _walk(
    kind: type[BaseModel], location: Sequence[int | str]
) -> tuple[Location, list[Any], list[Any], tuple[tuple[Location, bool], ...]]:
    kept: Location = ()
    branches: tuple[tuple[Location, bool], ...] = ()
    around: list[Any] = []
    here: list[Any] = [kind]
    for part in location:
        if len(here) > 1:  # pydantic puts the tried alternative's name between the keys
            here = tried(here, str(part))
            branches += ((kept, all(is_model(member) for member in here)),)
            continue
        kept += (part,)
        around, here = here, inside(here, part)
    return kept, around, here, branches


def _meant(steps: Sequence[_Step], values: Mapping[str, Any]) -> list[_Step]:
    """The errors without those of alternatives that the user did not try."""
    fitting = [step for step in steps if _is_meant(step, values)]
    settled = {location for step in fitting for location, _ in step.branches}
    return [
        step
        for step in steps
        if step in fitting or settled.isdisjoint(location for location, _ in step.branches)
    ]


def _is_meant(step: _Step, values: Mapping[str, Any]) -> bool:
    """Whether the alternatives tried fit the form of what was given: mapping or single value."""
    return all(
        isinstance(_at(values, location), Mapping) == is_settings
        for location, is_settings in step.branches
    )


def _at(values: Any, location: Location) -> Any:
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _sentence(kind: type[BaseModel], step: _Step) -> tuple[str, str]:
    """What was found, and why it is wrong."""
    error, context = step.error, step.error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return "", f"unknown key; {unknown_key(kind, step.location, step.around)}"
    if error["type"] == "union_tag_invalid":
        allowed = [word.strip("'") for word in str(context["expected_tags"]).split(", ")]
        return f" = {context['tag']}", f"unknown; {nearest(str(context['tag']), allowed)}"
    if error["type"] == "union_tag_not_found":
        kinds = sorted(str(tag) for member in step.here for tag in kinds_of(member))
        return "", f"missing; known: {', '.join(kinds)}"
    if error["type"] == "missing":
        return "", "missing; it has no default"
    if error["type"] == "value_error" and isinstance(error["input"], Mapping):
        return "", _reason(error)  # keys that do not go together; each is in the file
    return f" = {shown(error['input'])}", f"{_reason(error)}{_bounds(step)}"


def _reason(error: ErrorDetails) -> str:
    if error["type"] in _WORDS:
        return _WORDS[error["type"]]
    text = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text.split(", unable to parse")[0].replace("valid integer", "valid whole number")
    return text.replace("Input should be", "must be")


def _bounds(step: _Step) -> str:
    """The allowed range, where a number was not even a number."""
    if step.error["type"] not in _NO_NUMBER or not step.around or not is_model(step.around[0]):
        return ""
    field = step.around[0].model_fields.get(step.location[-1])
    limits = [
        f" {word} {getattr(limit, name)}"
        for limit in (field.metadata if field else [])
        for name, word in _LIMITS.items()
        if hasattr(limit, name)
    ]
    return " and".join(limits)


def _either(reasons: Sequence[str]) -> str:
    first, *others = reasons
    return " or ".join([first, *(other.removeprefix("must be ") for other in others)])
