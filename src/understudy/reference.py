"""Writes the settings' reference: every key of every stage, for `--help` and the documentation.

`python -m understudy.reference` writes `settings_reference.json` beside this file; a test compares
the two. The command line reads the JSON, so that its help needs neither torch nor a stage.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.annotations import kinds_of, members
from understudy.core.files import write_text
from understudy.data.augment import AnyTransform
from understudy.data.sources import AnySource
from understudy.methods import BY_STAGE, AnyDistillation, AnySelfSupervised
from understudy.models import AnyBackbone
from understudy.objectives import AnyObjective, every_objective
from understudy.stages import STAGES

PLACE = Path(__file__).with_name("settings_reference.json")

Schema = Mapping[str, Any]
"""JSON schema, as pydantic writes it."""

_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true | false",
}
_LIMITS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


class Setting(NamedTuple):
    """One key that a user may set."""

    key: str
    """Dotted; `[i]` stands for a position in a list."""
    only: str
    """The choice under which there is this key, such as `student.kind=timm`; mostly empty."""
    allowed: str
    """Type, range or choices."""
    default: str
    """As the user would write it; empty where one must be given, or where each part has its own."""
    help: str


def reference() -> dict[str, Any]:
    """Everything that `--help` and `list` show, as JSON values."""
    return {
        "stages": {
            name: {
                "help": _first_paragraph(kind.__doc__),
                "settings": [
                    setting._asdict()
                    for setting in _settings(kind.model_json_schema(mode="validation"))
                    if setting.key != "stage"
                ],
            }
            for name, kind in STAGES.items()
        },
        "names": {
            "backbones": _kinds(AnyBackbone),
            "methods": [*BY_STAGE, *_kinds(AnyDistillation), *_kinds(AnySelfSupervised)],
            "objectives": _kinds(AnyObjective),
            "sources": _kinds(AnySource),
            "transforms": _kinds(AnyTransform),
        },
        "papers": {
            "objectives": {
                str(kind): _first_paragraph(sys.modules[settings.__module__].__doc__)
                for settings in every_objective()
                for kind in kinds_of(settings)
            },
            "transforms": {
                str(kind): _first_paragraph(settings.__doc__)
                for settings in members(AnyTransform)
                for kind in kinds_of(settings)
            },
        },
    }


def as_text(content: Mapping[str, Any]) -> str:
    """The reference as it stands in the file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _kinds(union: Any) -> list[str]:
    return [str(kind) for member in members(union) for kind in kinds_of(member)]


def _settings(schema: Schema) -> Iterator[Setting]:
    """All keys of a class of settings, those of nested ones behind their own."""
    yield from _of_object(schema, schema.get("$defs", {}), "", only="", given={})


def _of_object(
    schema: Schema, named: Schema, before: str, *, only: str, given: Schema
) -> Iterator[Setting]:
    for name, field in schema.get("properties", {}).items():
        key = f"{before}{name}"
        has_default = name in given or "default" in field
        default = given.get(name, field.get("default"))
        inner = _resolved(field, named)
        kinds = _kinds_in(inner, named)
        yield Setting(
            key=f"{key}.kind" if kinds else key,
            only=only,
            allowed=" | ".join(kinds) or _allowed(inner, named),
            default=_default(default) if has_default else "",
            help=" ".join(str(field.get("description", inner.get("description", ""))).split()),
        )
        yield from _inside(inner, named, key, only=only, given=default)


def _kinds_in(schema: Schema, named: Schema) -> list[str]:
    """The kinds that a field chooses from, where it does."""
    schema = _resolved(schema, named)
    if "properties" in schema:
        kind = schema["properties"].get("kind", {}).get("const")
        return [str(kind)] if kind else []
    choices = schema.get("oneOf", schema.get("anyOf", []))
    return [kind for choice in choices for kind in _kinds_in(choice, named)]


def _inside(schema: Schema, named: Schema, key: str, *, only: str, given: Any) -> Iterator[Setting]:
    """The keys of what a field holds: settings, a choice of settings, or a list of either."""
    schema = _resolved(schema, named)
    values = given if isinstance(given, Mapping) else {}
    choices = schema.get("oneOf", schema.get("anyOf", []))
    if "properties" in schema and "kind" not in schema["properties"]:
        yield from _of_object(schema, named, f"{key}.", only=only, given=values)
    elif "properties" in schema:
        yield from _of_kind(schema, named, key, values)
    alternatives = [list(_inside(c, named, key, only=only, given=given)) for c in choices]
    yield from _common_first([found for found in alternatives if found], only)
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _inside(
            schema["additionalProperties"], named, f"{key}.NAME", only=only, given={}
        )
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        yield from _inside(schema["items"], named, f"{key}[i]", only=only, given=None)


def _common_first(alternatives: Sequence[Sequence[Setting]], only: str) -> list[Setting]:
    """What every kind has alike is said once, before what each has for itself."""
    bare = [[setting._replace(only=only) for setting in found] for found in alternatives]
    common = [
        setting
        for setting in (bare[0] if bare else [])
        if len(bare) > 1 and all(setting in found for found in bare)
    ]
    own = [s for found in alternatives for s in found if s._replace(only=only) not in common]
    return [*common, *own]


def _of_kind(schema: Schema, named: Schema, key: str, values: Schema) -> Iterator[Setting]:
    """The keys that there are under one kind; the kind itself is said by the field."""
    kind = schema["properties"]["kind"].get("const")
    given = values if values.get("kind") == kind else {}
    for setting in _of_object(schema, named, f"{key}.", only=f"{key}.kind={kind}", given=given):
        if setting.key != f"{key}.kind":
            yield setting


def _resolved(schema: Schema, named: Schema) -> Schema:
    """The schema behind a name; what stands beside the name goes over it."""
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).rsplit("/", 1)[-1]
    return {**_resolved(named[name], named), **{k: v for k, v in schema.items() if k != "$ref"}}


def _allowed(schema: Schema, named: Schema) -> str:
    """Type, range and choices in a few words."""
    schema = _resolved(schema, named)
    if "const" in schema:
        return _default(schema["const"])
    if "enum" in schema:
        return " | ".join(_default(value) for value in schema["enum"])
    choices = schema.get("oneOf", schema.get("anyOf", []))
    if choices:
        return " | ".join(dict.fromkeys(_allowed(choice, named) for choice in choices))
    if "properties" in schema:
        kind = schema["properties"].get("kind", {}).get("const")
        return str(kind) if kind else "settings"
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"list of {_allowed(items, named)}" if isinstance(items, Mapping) else "list"
    if schema.get("type") == "object":
        return "mapping"
    if schema.get("type") == "null":
        return "null"
    if schema.get("format") in ("path", "run"):
        return str(schema["format"])
    limits = [f" {sign} {schema[limit]}" for limit, sign in _LIMITS.items() if limit in schema]
    return _WORDS.get(str(schema.get("type")), "any") + ",".join(limits)


def _default(value: Any) -> str:
    """A value as a user writes it; settings by their kind, for their keys follow."""
    if isinstance(value, Mapping):
        return str(value.get("kind", ""))
    if isinstance(value, list):
        return f"[{', '.join(_default(item) or '{}' for item in value)}]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    write_text(PLACE, as_text(reference()))
