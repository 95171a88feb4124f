"""References in the settings of a stage."""

from typing import Any

import pytest

from understudy.studies.filling import Filling, references_in, runs_in

PARAMETERS: dict[str, Any] = {
    "epochs": 3,
    "rate": 0.1,
    "student": {"kind": "small", "depth": "${depth}"},
    "alias": "${student}",
    "terms": [{"weight": 1.0}],
}


def filled(value: Any, **choices: Any) -> tuple[Any, Filling]:
    filling = Filling(PARAMETERS, {"depth": 8, **choices})
    return filling.fill(value), filling


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("${epochs}", 3),
        ("${rate}", 0.1),
        ("${student}", {"kind": "small", "depth": 8}),
        ("${student.depth}", 8),
        ("${alias.depth}", 8),
        ("${terms.0.weight}", 1.0),
        ("after ${epochs} of ${rate}", "after 3 of 0.1"),
        ({"a": ["${epochs}", {"b": "${rate}"}]}, {"a": [3, {"b": 0.1}]}),
        ("$epochs {epochs} $", "$epochs {epochs} $"),
        (None, None),
        (True, True),
    ],
)
def test_a_reference_alone_keeps_its_type_and_in_a_text_is_text(given: Any, meant: Any) -> None:
    value, filling = filled(given)

    assert value == meant
    assert type(value) is type(meant)
    assert not filling.mistakes


def test_a_choice_counts_as_used_through_a_parameter_too() -> None:
    assert filled("${student.kind}")[1].used == set()
    assert filled("${student}")[1].used == {"depth"}
    assert filled("${alias.depth}")[1].used == {"depth"}
    assert filled("${seed}", seed=1)[1].used == {"seed"}


def test_the_source_of_a_value_is_the_innermost_parameter() -> None:
    _, filling = filled({"net": "${student}"})

    assert filling.source(("net", "kind")) == ("student", "kind")
    assert filling.source(("net", "depth")) == ("depth",)
    assert filling.source(("other",)) is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("${epoch}", "is not known; did you mean 'epochs'"),
        ("${student.dept}", "did you mean 'depth'"),
        ("${epochs.many}", "is not known"),
        ("${}", "is not known"),
        ("of ${student}", "more than one value"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_mistake(given: str, complaint: str) -> None:
    _, filling = filled({"here": given})

    ((location, text),) = filling.mistakes
    assert location == ("here",)
    assert complaint in text


def test_a_reference_to_itself_is_a_mistake_and_no_endless_loop() -> None:
    filling = Filling({"a": "${b}", "b": ["${a}"]}, {})

    filling.fill("${a}")

    assert "refers to itself: a -> b -> a" in filling.mistakes[0][1]


def test_runs_are_found_inside_lists_and_only_where_a_name_stands_alone() -> None:
    settings = {"models": ["@a", "@b-2"], "path": "x/@a", "to": "me@a", "x": {"y": "@c"}}

    assert dict(runs_in(settings)) == {
        ("models", 0): "a",
        ("models", 1): "b-2",
        ("x", "y"): "c",
    }


def test_all_references_are_found() -> None:
    assert sorted(references_in({"a": ["${x}", "y ${z.0} ${x}"], "b": 3})) == ["x", "x", "z.0"]
