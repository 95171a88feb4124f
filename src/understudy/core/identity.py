"""What a run is: its settings in one canonical form, its parents by key, and a hash of both."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, get_args

from pydantic.fields import FieldInfo

from understudy.core.settings import Aside, ParentRun, Settings
from understudy.core.wording import Location, dotted


def canonical(settings: Settings, parents: Mapping[str, str]) -> dict[str, Any]:
    """Everything in the settings that can change a run's numbers, as plain JSON values.

    Args:
        settings: The settings of a stage; defaults count like given values.
        parents: Key of the parent for each dotted field of `parents_of`, such as `models[0]`. A
            field without one stands for itself by its path.

    Returns:
        Nested mappings without the fields marked `Aside`.
    """
    content: dict[str, Any] = _plain(settings, parents, location=(), is_run=False)
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
    return {dotted(location): path for location, path in _run_paths(settings, (), is_run=False)}


def _plain(value: Any, parents: Mapping[str, str], *, location: Location, is_run: bool) -> Any:
    if isinstance(value, Settings | Mapping | list | tuple):
        items = {
            part: _plain(inner, parents, location=(*location, part), is_run=inner_is_run)
            for part, inner, inner_is_run in _items(value, is_run=is_run)
        }
        return list(items.values()) if isinstance(value, list | tuple) else items
    if isinstance(value, set | frozenset):
        return sorted(_plain(inner, {}, location=(), is_run=False) for inner in value)
    if isinstance(value, PurePath):
        return parents.get(dotted(location), str(value)) if is_run else str(value)
    return value.value if isinstance(value, Enum) else value


def _run_paths(value: Any, location: Location, *, is_run: bool) -> Iterator[tuple[Location, Path]]:
    if isinstance(value, Settings | Mapping | list | tuple):
        for part, inner, inner_is_run in _items(value, is_run=is_run):
            yield from _run_paths(inner, (*location, part), is_run=inner_is_run)
    elif is_run and isinstance(value, Path):
        yield location, value


def _items(value: Any, *, is_run: bool) -> list[tuple[int | str, Any, bool]]:
    """What lies inside, and whether paths there are runs; fields that are aside are left out."""
    if isinstance(value, Settings):
        return [
            (name, getattr(value, name), _is_marked(field, ParentRun))
            for name, field in type(value).model_fields.items()
            if not _is_marked(field, Aside)
        ]
    if isinstance(value, Mapping):
        return [(str(key), inner, is_run) for key, inner in value.items()]
    return [(position, inner, is_run) for position, inner in enumerate(value)]


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
