"""`key=value` words over the values of a file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid, parse_overrides, with_data_path, written
from understudy.core.yaml import parse_mapping

BASE: dict[str, Any] = {
    "seed": 0,
    "student": {"kind": "small", "depth": 8},
    "terms": [{"kind": "label", "weight": 1.0}, {"kind": "soft", "weight": 2.0}],
    "none": None,
}


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("seed=1", "seed", 1),
        ("lr=1e-3", "lr", 0.001),
        ("a.b-c.d_e=x", "a.b-c.d_e", "x"),
        ("terms[0].weight=2", "terms.0.weight", 2),
        ("terms.0.weight=2", "terms.0.weight", 2),
        ("data=/a b/c=d", "data", "/a b/c=d"),
        ("data=[1, 2", "data", "[1, 2"),
        ("data=C:\\x: y", "data", "C:\\x: y"),
        ("data=my images #2", "data", "my images #2"),
        ("data=- x", "data", "- x"),
        ("data=&a b", "data", "&a b"),
        ("name='12'", "name", "12"),
        ("plan.patience=null", "plan.patience", None),
        ("name=", "name", ""),
        ("student={kind: small}", "student", {"kind": "small"}),
        ("lr=__import__('os').system('x')", "lr", "__import__('os').system('x')"),
    ],
)
def test_a_word_is_a_key_and_a_yaml_value(word: str, key: str, value: object) -> None:
    assert parse_overrides([word]) == {key: value}


def test_the_last_of_equal_keys_wins() -> None:
    assert parse_overrides(["a=1", "a=2"]) == {"a": 2}


def test_all_words_of_another_form_are_named() -> None:
    with pytest.raises(UsageError, match="command line: 5 mistakes") as caught:
        parse_overrides(["seed", "=3", "1a=2", "a..b=1", "-x=1", "good=1"])

    assert "'seed'  is not `key=value`, such as `seed=1`" in str(caught.value)
    assert "good" not in str(caught.value)


@given(st.text(max_size=50))
def test_any_word_is_read_or_refused(word: str) -> None:
    try:
        assert len(parse_overrides([word])) == 1
    except UsageError as error:
        assert "is not `key=value`" in str(error)


@pytest.mark.parametrize(
    ("overrides", "key", "value"),
    [
        ({"seed": 3}, "seed", 3),
        ({"student.depth": 14}, "student", {"kind": "small", "depth": 14}),
        ({"student": {"depth": 14}}, "student", {"kind": "small", "depth": 14}),
        ({"student": {"kind": "wide", "width": 2}}, "student", {"kind": "wide", "width": 2}),
        ({"student.width": 2, "student.kind": "wide"}, "student", {"kind": "wide", "width": 2}),
        ({"student.kind": "small"}, "student", {"kind": "small", "depth": 8}),
        ({"student": "wide"}, "student", {"kind": "wide"}),
        ({"student": "small"}, "student", {"kind": "small", "depth": 8}),
        ({"student": "wide", "student.width": 2}, "student", {"kind": "wide", "width": 2}),
        ({"seed": "x"}, "seed", "x"),
        ({"none.a.b": 1}, "none", {"a": {"b": 1}}),
        ({"new.a": 1}, "new", {"a": 1}),
        ({"a.kind": "p", "a.b.kind": "q"}, "a", {"kind": "p", "b": {"kind": "q"}}),
    ],
)
def test_a_key_replaces_what_it_names(overrides: dict[str, Any], key: str, value: object) -> None:
    result = overlaid(BASE, overrides)

    assert result[key] == value
    assert {k: v for k, v in result.items() if k != key} == {
        k: v for k, v in BASE.items() if k != key
    }


def test_a_kind_beside_keys_of_an_unnamed_one_is_refused() -> None:
    """They may be another kind's: a rate of SGD would become AdamW's."""
    with pytest.raises(UsageError, match=r"a\.kind  stands beside b"):
        overlaid({"a": {"b": 1}}, {"a.kind": "x"})

    assert overlaid({"a": {}}, {"a.kind": "x", "a.b": 2}) == {"a": {"kind": "x", "b": 2}}
    assert overlaid({"a": {"b": 1}}, {"a": {"kind": "x"}}) == {"a": {"kind": "x"}}


TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | st.integers() | FLOATS | TEXT


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    assert parse_overrides(written({"key": value})) == {"key": value}


def test_positions_reach_into_lists() -> None:
    result = overlaid(BASE, {"terms.1.weight": 5, "terms.0": {"kind": "hard"}})

    assert result["terms"] == [{"kind": "hard"}, {"kind": "soft", "weight": 5}]


def test_the_base_and_the_overrides_stay_as_they_are() -> None:
    value = {"depth": 14}
    result = overlaid(BASE, {"student": value, "extra": value})
    result["student"]["depth"] = result["extra"]["depth"] = 20

    assert BASE["student"]["depth"] == 8
    assert value == {"depth": 14}


def test_all_keys_that_lead_nowhere_are_named() -> None:
    with pytest.raises(UsageError, match="4 mistakes") as caught:
        overlaid(BASE, {"seed.a": 1, "terms.2.weight": 1, "terms.x": 1, "terms.²": 1})

    assert "seed.a  'seed' is 0, a single value with no keys inside" in str(caught.value)
    assert "terms.2.weight  '2' must be a position from 0 to 1" in str(caught.value)


def test_data_alone_is_its_path_unless_it_is_a_mapping() -> None:
    assert with_data_path({"data": "x", "data.unlabeled": "y", "seed": 1}) == {
        "data.path": "x",
        "data.unlabeled": "y",
        "seed": 1,
    }
    assert with_data_path({"data": {"path": "x"}}) == {"data": {"path": "x"}}


def test_of_two_values_that_a_file_wrote_once_one_can_be_changed() -> None:
    base = parse_mapping("views:\n- &view {crop: {scale: 1}}\n- *view\n", "here")

    result = overlaid(base, {"views.0.crop.scale": 2})

    assert result["views"] == [{"crop": {"scale": 2}}, {"crop": {"scale": 1}}]


@pytest.mark.parametrize("item", [3, "text", True])
def test_a_single_value_in_a_list_has_no_keys_inside(item: object) -> None:
    with pytest.raises(UsageError, match=r"views\.0\.size  '0' is .* a single value"):
        overlaid({"views": [item]}, {"views.0.size": 1})


def test_nothing_in_a_list_is_replaced_by_what_is_put_inside() -> None:
    assert overlaid({"views": [None]}, {"views.0.size": 1}) == {"views": [{"size": 1}]}
