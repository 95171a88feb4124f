"""Settings that stand in place of what is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest
from pydantic import PositiveFloat, PositiveInt

from understudy.core.errors import UsageError
from understudy.core.settings import RunPath, Settings
from understudy.objectives.weight import Ramp, Weight
from understudy.studies.settling import changes_for, laid_over, value_at
from understudy.studies.study import Settled


class Term(Settings):
    kind: Literal["label", "soft"] = "label"
    weight: Weight = 1.0


class Plan(Settings):
    rate: PositiveFloat = 0.1
    epochs: PositiveInt = 4
    shape: str = "cosine"


class Student(Settings):
    teacher: RunPath = Path("@teacher")
    terms: tuple[Term, ...] = (Term(), Term(kind="soft"))
    plan: Plan = Plan()


def weight_of(given: Mapping[str, object], changes: Mapping[str, object]) -> object:
    return value_at(Student.model_validate(laid_over(Student, given, changes)), "terms.1.weight")


def test_a_factor_is_on_what_is_written_or_else_on_the_default() -> None:
    written = {"terms": [{"kind": "label"}, {"kind": "soft", "weight": 0.1}]}

    assert weight_of(written, {"terms.1.weight": {"times": 3}}) == 0.3
    assert weight_of({}, {"terms.1.weight": {"times": 3}}) == 3
    assert laid_over(Student, {}, {"plan.rate": {"times": 0.5}})["plan"]["rate"] == 0.05


def test_a_weight_that_moves_is_multiplied_at_both_ends_and_moves_when_it_did() -> None:
    ramp = {"start": 0.1, "end": 5, "until": 0.083}

    found = weight_of({"terms": [{}, {"weight": ramp}]}, {"terms.1.weight": {"times": 3}})

    assert found == Ramp(start=0.3, end=15, until=0.083)


def test_a_value_replaces_what_is_written_and_leaves_the_rest() -> None:
    given = {"teacher": "@teacher", "plan": {"rate": 0.2, "epochs": 7}}

    found = laid_over(Student, given, {"plan.rate": 0.4})

    assert found == {"teacher": "@teacher", "plan": {"rate": 0.4, "epochs": 7}}


def test_a_whole_number_stays_one_where_it_can() -> None:
    assert laid_over(Student, {}, {"plan.epochs": {"times": 1.5}})["plan"]["epochs"] == 6


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("plan.shape", "plan.shape = 'cosine'  is no number"),
        ("plan.rat", "none called 'rat'. did you mean 'rate'?"),
        ("terms.2.weight", "terms has none called '2'. Known: 0, 1"),
        ("teacher", "is no number"),
        ("terms", "is no number"),
    ],
)
def test_what_cannot_be_multiplied_is_named(path: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        laid_over(Student, {}, {path: {"times": 2}})

    assert complaint in str(caught.value)


def test_the_changes_are_those_of_the_values_of_the_axes_at_hand() -> None:
    settled = [
        Settled("student", {"net": {"name": "a"}, "depth": 8}, {"plan.rate": 1.0}),
        Settled("student", {"net": {"name": "b"}}, {"plan.rate": 2.0}),
    ]

    def changes(stage: str, net: str, depth: int) -> object:
        return changes_for(settled, stage, {"seed": 1, "net": {"name": net}, "depth": depth})

    assert changes("student", "a", 8) == {"plan.rate": 1.0}
    assert changes("student", "a", 14) == {}
    assert changes("student", "b", 14) == {"plan.rate": 2.0}
    assert changes("teacher", "b", 14) == {}
