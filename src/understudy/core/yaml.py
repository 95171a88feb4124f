"""YAML 1.2, read safely: duplicate keys refused, positions in every error, nothing executed."""

import copy
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from understudy.core.errors import UsageError
from understudy.core.wording import Location

MOST_BYTES = 1_000_000  # a recipe is a page; more is a mistake or an attack
MOST_VALUES = 100_000  # with aliases written out: a "billion laughs" file is ten lines long


class Placed(dict[str, Any]):
    """A mapping that remembers on which line of its file each key stands."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.lines: dict[str, int] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        """Sets a value that is not the file's, so that its line is forgotten."""
        super().__setitem__(key, value)
        self.lines.pop(key, None)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = type(self)({key: copy.deepcopy(value, memo) for key, value in self.items()})
        copied.lines = dict(self.lines)
        return copied


def line_of(values: Any, location: Location) -> int | None:
    """The line where a value stands, or the nearest value around it; None for other values."""
    line = None
    for part in location:
        if isinstance(values, Placed):
            line = values.lines.get(str(part), line if part not in values else None)
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            break
    return line


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads one mapping from a file.

    Raises:
        UsageError: The file cannot be read, is not YAML, or holds something else than a mapping.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: larger than {MOST_BYTES:,} bytes; not a recipe or a study.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 text ({error}).") from error

    return parse_mapping(text, origin=str(path))


def parse_mapping(text: str, origin: str) -> dict[str, Any]:
    """Reads one mapping from text; `origin` heads the error messages.

    Raises:
        UsageError: As for `read_yaml`.
    """
    content = parse_value(text, origin)
    if not isinstance(content, dict):
        raise UsageError(f"{origin}: must hold `key: value` lines; found {type(content).__name__}.")
    return content


def parse_value(text: str, origin: str) -> Any:
    """Reads one YAML value of any kind; mappings come as `Placed`.

    Raises:
        UsageError: The text is not YAML, or is far larger than any honest file.
    """
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _Constructor
    try:
        content = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = (error.problem or error.context or "not YAML").split("\n")[0]
        raise UsageError(f"{origin}{line}: {problem}.") from error
    except (YAMLError, ValueError, RecursionError) as error:
        problem = next(iter(str(error).splitlines()), "not YAML")
        raise UsageError(f"{origin}: not YAML ({problem}).") from error

    if _count(content, {}) > MOST_VALUES:
        raise UsageError(f"{origin}: more than {MOST_VALUES:,} values, or one inside itself.")
    return _written_out(content)


def write_yaml(values: dict[str, Any]) -> str:
    """The values as YAML text, keys in the order given."""
    stream = StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(values, stream)
    return stream.getvalue()


class _Constructor(SafeConstructor):
    """Builds plain values, and mappings that know their lines."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        """Refuses a value that holds itself; ruamel would leave None in its place."""
        if node in self.recursive_objects:
            raise ConstructorError(
                problem="an alias to one of the values around it", problem_mark=node.start_mark
            )
        return super().construct_object(node, deep)

    def construct_placed(self, node: MappingNode) -> Iterator[Placed]:
        placed = Placed()
        yield placed
        placed.update(self.construct_mapping(node, deep=True))
        other = next((key for key in placed if not isinstance(key, str)), None)
        if other is not None:
            raise ConstructorError(
                problem=f"the key {other} is not text; put it in quotes",
                problem_mark=node.start_mark,
            )
        placed.lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}

    def construct_text(self, node: ScalarNode) -> Any:
        """YAML 1.2 has no dates: a folder may be called 2026-01-31."""
        return self.construct_scalar(node)


_Constructor.add_constructor("tag:yaml.org,2002:map", _Constructor.construct_placed)
_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_text)
for _unwanted in ("binary", "omap", "pairs", "set"):
    _Constructor.add_constructor(
        f"tag:yaml.org,2002:{_unwanted}", SafeConstructor.construct_undefined
    )


class _Representer(SafeRepresenter):
    """Writes `Placed` as the mappings that they are."""


_Representer.add_multi_representer(dict, SafeRepresenter.represent_dict)


def _count(value: Any, counted: dict[int, int]) -> int:
    """Number of values with every alias written out; a value inside itself counts as too many."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in counted:
        counted[id(value)] = MOST_VALUES + 1  # stands while inside, so that a loop ends here
        inner = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_count(item, counted) for item in inner)
    return counted[id(value)]


def _written_out(value: Any) -> Any:
    """A copy in which an alias is a value of its own: changing one of the two changes one."""
    if isinstance(value, Placed):
        copied = Placed({key: _written_out(inner) for key, inner in value.items()})
        copied.lines = dict(value.lines)
        return copied
    return [_written_out(inner) for inner in value] if isinstance(value, list) else value
