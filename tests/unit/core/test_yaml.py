"""YAML as we read it."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.errors import UsageError
from understudy.core.yaml import line_of, parse_mapping, parse_value, read_yaml, write_yaml

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1), inner
        )
    ),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(st.characters(categories=["Ll"]), min_size=1), PLAIN))
def test_what_was_written_is_read(values: dict[str, Any]) -> None:
    assert parse_mapping(write_yaml(values), "here") == values


@given(st.text(max_size=200))
def test_any_text_is_a_value_or_a_usage_error(text: str) -> None:
    try:
        parse_value(text, "here")
    except UsageError as error:
        assert str(error).startswith("here")


@given(st.text(alphabet="{}[]&*!|>%@`'\",:- \n\tab1?#<=~.", max_size=60))
def test_any_yaml_like_text_is_a_value_or_a_usage_error(text: str) -> None:
    try:
        parse_value(text, "here")
    except UsageError as error:
        assert str(error).startswith("here")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("no", "no"),
        ("on", "on"),
        ("2026-01-31", "2026-01-31"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("true", True),
        ("~", None),
        ("1,2,3", "1,2,3"),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert parse_value(text, "here") == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", 'line 3: found duplicate key "a"'),
        ("a: 1\nb:\n\tc: 2", r"line 3: found character '\t'"),
        ("a: [1, 2\nb: 3", "line 2"),
        ("a: 1\n---\nb: 2", "line 2: but found another document"),
        ("a: {1: 2}", "line 1: the key 1 is not text"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: !!set {b, c}", "could not determine a constructor"),
        ("- 1", "found list"),
        ("", "found NoneType"),
        ("a: &a [*a]", "line 1: an alias to one of the values around it"),
        ("a: &a {b: *a}", "line 1: an alias to one of the values around it"),
        ("&a [*a]", "one inside itself"),
        ("[" * 1000, "not YAML"),
        ("a: " + "9" * 5000, "not YAML"),
        ("\0", "not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=r"^recipe\.yaml") as caught:
        parse_mapping(text, "recipe.yaml")

    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ten_lines_do_not_become_a_billion_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]

    with pytest.raises(UsageError, match="more than 100,000 values"):
        parse_mapping("\n".join(lines), "laughs.yaml")


def test_an_alias_of_an_honest_file_is_followed() -> None:
    assert parse_mapping("a: &a {b: 1}\nc: {<<: *a, d: 2}", "here")["c"] == {"b": 1, "d": 2}


@pytest.mark.parametrize("content", [b"a: \xff", b"\x80\x04\x95", b"x" * 1_000_001])
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=r"x\.yaml"):
        read_yaml(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_yaml(tmp_path)


def test_a_value_knows_its_line_until_it_is_replaced() -> None:
    values = parse_mapping("a:\n  b: 1\n  c: [1, {d: 2}]\n", "here")
    changed = copy.deepcopy(values)
    changed["a"]["b"] = 3

    assert line_of(values, ("a", "b")) == 2
    assert line_of(values, ("a", "c", 1, "d")) == 3
    assert line_of(values, ("a", "missing")) == 1
    assert line_of(changed, ("a", "b")) is None
    assert line_of(changed, ("a", "c")) == 3
    assert line_of({"a": 1}, ("a",)) is None


def test_a_mapping_that_was_read_can_be_written() -> None:
    text = "a:\n  b: 1\n"

    assert write_yaml(parse_mapping(text, "here")) == text
