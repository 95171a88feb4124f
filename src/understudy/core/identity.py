"""What a run is: its settings in one canonical form, with parents and files by what they are."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, NamedTuple, get_args

from pydantic.fields import FieldInfo

from understudy.core.settings import Added, Aside, FileContent, ParentRun, Settings
from understudy.core.wording import Location, dotted


def canonical(settings: Settings, known: Mapping[str, str]) -> dict[str, Any]:
    """Everything in the settings that can change a run's numbers, as plain JSON values.

    Args:
        settings: The settings of a stage; defaults count like given values.
        known: Key of the parent for each dotted field of `parents_of`, such as `models[0]`, and
            hash of the file for each one of `files_of`. A field without one stands for itself by
            its path.

    Returns:
        Nested mappings without the fields marked `Aside`, and without those marked `Added` that
        have their default.
    """
    content: dict[str, Any] = _plain(settings, known, location=(), mark=None)
    return content


def digest(value: Any) -> str:
    """16 hexadecimal digits (64 bits) of the SHA-256 of the value as canonical JSON.

    Raises:
        ValueError: The value holds NaN or infinity, which no two readers write alike.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:16]


def parents_of(settings: Settings) -> dict[str, Path]:
    """The runs that the settings name, by dotted field: `teacher`, `models[0]`."""
    return _marked(settings, ParentRun)


def files_of(settings: Settings) -> dict[str, Path]:
    """The files that the settings name beside images and runs, by dotted field: `weights`."""
    return _marked(settings, FileContent)


def _plain(value: Any, known: Mapping[str, str], *, location: Location, mark: type | None) -> Any:
    if isinstance(value, Settings | Mapping | list | tuple):
        items = {
            part: _plain(inner, known, location=(*location, part), mark=inner_mark)
            for part, inner, inner_mark in _items(value, mark)
        }
        return list(items.values()) if isinstance(value, list | tuple) else items
    if isinstance(value, set | frozenset):
        return sorted(_plain(inner, {}, location=(), mark=None) for inner in value)
    if isinstance(value, PurePath):
        return known.get(dotted(location), str(value)) if mark else str(value)
    return value.value if isinstance(value, Enum) else value


def _marked(settings: Settings, wanted: type) -> dict[str, Path]:
    found = _paths(settings, (), None)
    return {dotted(location): path for location, path, mark in found if mark is wanted}


def _paths(
    value: Any, location: Location, mark: type | None
) -> Iterator[tuple[Location, Path, type | None]]:
    if isinstance(value, Settings | Mapping | list | tuple):
        for part, inner, inner_mark in _items(value, mark):
            yield from _paths(inner, (*location, part), inner_mark)
    elif isinstance(value, Path):
        yield location, value, mark


def _items(value: Any, mark: type | None) -> list[tuple[int | str, Any, type | None]]:
    """What lies inside, and what paths there are marked as; fields that are aside are left out."""
    if isinstance(value, Settings):
        return [
            (field.name, inner, field.mark)
            for field in _fields(type(value))
            for inner in [getattr(value, field.name)]
            if not field.is_as_before(inner)
        ]
    if isinstance(value, Mapping):
        return [(str(key), inner, mark) for key, inner in value.items()]
    return [(position, inner, mark) for position, inner in enumerate(value)]


class _Field(NamedTuple):
    """A field of settings that counts."""

    name: str
    mark: type | None
    came_with: tuple[Any, ...]
    """Of a field that came later, its default; else nothing."""

    def is_as_before(self, value: Any) -> bool:
        """Whether the field came later, and says nothing that was not so before."""
        return bool(self.came_with) and bool(value == self.came_with[0])


@cache
def _fields(kind: type[Settings]) -> tuple[_Field, ...]:
    """The fields that count, found once: a plan asks for each of hundreds of runs."""
    return tuple(
        _Field(
            name,
            _mark_of(field),
            (field.get_default(call_default_factory=True),) if _is_marked(field, Added) else (),
        )
        for name, field in kind.model_fields.items()
        if not _is_marked(field, Aside)
    )


def _mark_of(field: FieldInfo) -> type | None:
    return next((mark for mark in (ParentRun, FileContent) if _is_marked(field, mark)), None)


def _is_marked(field: FieldInfo, mark: type) -> bool:
    return any(_is_mark(item, mark) for item in field.metadata) or _mentions(field.annotation, mark)


def _mentions(annotation: Any, mark: type) -> bool:
    """Whether the mark stands anywhere inside: `tuple[RunPath, ...] | None`."""
    marks = getattr(annotation, "__metadata__", ())
    return any(_is_mark(item, mark) for item in marks) or any(
        _mentions(inner, mark) for inner in get_args(annotation)
    )


def _is_mark(item: Any, mark: type) -> bool:
    return item is mark or isinstance(item, mark)
