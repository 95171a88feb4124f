"""Settings, and what is said when they are wrong."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from understudy.core.default_kinds import ImpliedKind
from understudy.core.errors import UsageError
from understudy.core.settings import Settings, checked, mistakes_in
from understudy.core.yaml import parse_mapping


class Small(Settings):
    kind: Literal["small"] = "small"
    depth: PositiveInt = 3


class Wide(Settings):
    kind: Literal["wide"] = "wide"
    width: int = 3


AnyNet = Annotated[Small | Wide, Field(discriminator="kind")]


class Ramp(Settings):
    start: float
    end: float

    @model_validator(mode="after")
    def _rises(self) -> "Ramp":
        if self.end < self.start:
            raise ValueError("`end` must not lie below `start`")
        return self


class Term(Settings):
    weight: NonNegativeFloat | Ramp = 1.0


class Plan(Settings):
    epochs: PositiveInt = 10


class Root(Settings):
    terms: tuple[Term, ...] = ()
    lr: PositiveFloat = 0.1
    share: Annotated[float, Field(ge=0, lt=1)] = 0.5
    size: Literal[8, 16] = 8
    folder: Path | None = None
    name: str = ""
    flag: bool = False
    patience: list[int] | Literal["never"] = "never"
    net: AnyNet = Small()
    nets: tuple[AnyNet, ...] = ()
    by_name: dict[str, Term] = Field(default_factory=dict)
    plan: Plan = Plan()


def complaints(values: dict[Any, Any]) -> list[str]:
    with pytest.raises(UsageError) as caught:
        checked(Root, values, "recipe.yaml")
    heading, *lines = str(caught.value).splitlines()
    assert heading == f"recipe.yaml: {len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return [line.strip() for line in lines]


def test_what_is_right_is_built() -> None:
    built = checked(Root, {"lr": "1e-3", "net": {"kind": "wide"}, "folder": "a b"}, "here")

    assert (built.lr, built.net, built.folder) == (0.001, Wide(), Path("a b"))


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Root().lr = 2.0  # type: ignore[misc]


def test_a_wrong_default_is_found_when_it_is_used() -> None:
    class Wrong(Settings):
        lr: PositiveFloat = -1.0

    assert mistakes_in(Wrong, {})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"lrr": 1}, "lrr  unknown key; did you mean 'lr' (default 0.1)? Known: by_name, "),
        ({"epochs": 1}, "epochs  unknown key; did you mean 'plan.epochs'? Known here: "),
        ({"zzz": 1}, "zzz  unknown key; Known: "),
        ({"net": {"kind": "small", "dept": 1}}, "net.dept  unknown key; did you mean 'depth'"),
        (
            {"net": {"kind": "wde"}},
            "net.kind = wde  unknown; did you mean 'wide'? Known: small, wide",
        ),
        ({"nets": [{"depth": 1}]}, "nets[0].kind  missing; known: small, wide"),
        ({"net": 3}, "net = 3  must be a mapping of keys"),
        ({"terms": [{}, {"weight": "x"}]}, "terms[1].weight = 'x'  must be a valid number"),
        ({"terms": [{"weight": {"start": 1}}]}, "terms[0].weight.end  missing; it has no default"),
        ({"terms": [{"weight": -1}]}, "terms[0].weight = -1  must be greater than or equal to 0"),
        ({"terms": {"weight": 1}}, "terms = {'weight': 1}  must be a list"),
        ({"by_name": {"a": {"weight": "x"}}}, "by_name.a.weight = 'x'  must be a valid number"),
        ({"lr": 0}, "lr = 0  must be greater than 0"),
        ({"lr": "fast"}, "lr = 'fast'  must be a valid number above 0"),
        ({"share": "x"}, "share = 'x'  must be a valid number of at least 0 and below 1"),
        ({"size": 9}, "size = 9  must be 8 or 16"),
        ({"size": "8"}, "size = '8'  must be 8 or 16"),
        ({"flag": "maybe"}, "flag = 'maybe'  must be true or false"),
        ({"name": 3}, "name = 3  must be text; put a number that is a name in quotes"),
        ({"folder": 2024}, "folder = 2024  must be a path; a folder called 2024 is written ./2024"),
        ({"patience": "nevr"}, "patience = 'nevr'  must be a list or 'never'"),
        ({"plan": {"epochs": 1.5}}, "plan.epochs = 1.5  must be a whole number"),
        (
            {"terms": [{"weight": {"start": 2, "end": 1}}]},
            "terms[0].weight  `end` must not lie below `start`",
        ),
    ],
)
def test_one_mistake_is_one_sentence_with_the_key_as_written(
    values: dict[str, Any], complaint: str
) -> None:
    (line,) = complaints(values)

    assert line.startswith(complaint)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), "nan", "inf", "1e309"]
)
def test_numbers_are_finite(value: object) -> None:
    assert complaints({"lr": value})[0].endswith("must be a finite number above 0")


@pytest.mark.parametrize(
    "value", [None, [], {}, "", [1], {"a": 1}, "__import__('os').system('x')", "0.1; rm -rf /"]
)
def test_nothing_but_a_number_is_a_number_and_text_is_never_run(value: object) -> None:
    (line,) = complaints({"lr": value})

    assert line.startswith("lr = ")
    assert line.endswith("must be a valid number above 0")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"lr": True}, "lr"),
        ({"size": True}, "size"),
        ({"plan": {"epochs": True}}, "plan.epochs"),
        ({"nets": [{"kind": "wide", "width": False}]}, "nets[0].width"),
        ({"terms": [{"weight": True}]}, "terms[0].weight"),
        ({"by_name": {"a": {"weight": True}}}, "by_name.a.weight"),
    ],
)
def test_yes_is_not_one(values: dict[str, Any], key: str) -> None:
    assert complaints(values)[0].startswith(f"{key} = ")
    assert mistakes_in(Root, {"flag": True}) == []


def test_all_mistakes_are_reported_at_once() -> None:
    lines = complaints({"lr": -1, "lrr": 2, "net": {"kind": "x"}, "terms": [{"weight": "y"}]})

    assert [line.split()[0] for line in lines] == ["terms[0].weight", "lr", "net.kind", "lrr"]


def test_alternatives_that_were_not_tried_hide_no_other_mistake() -> None:
    class Two(Settings):
        either: Ramp | Plan = Plan()
        other: int = 0

    with pytest.raises(UsageError, match="2 mistakes") as caught:
        checked(Two, {"either": 3, "other": "x"}, "here")

    assert "either = 3  must be a mapping of keys" in str(caught.value)


def test_a_value_that_fills_the_screen_is_cut() -> None:
    assert len(complaints({"lr": "x" * 10_000})[0]) < 120


def test_mistakes_name_the_line_of_the_file_where_there_is_one() -> None:
    values = parse_mapping("lr: 0.1\nplan:\n  epohcs: 3\nterms:\n- weight: 1\n- wieght: 2\n", "x")

    lines = complaints(values)

    assert [line.rpartition("(line ")[2] for line in lines] == ["6)", "3)"]


def test_keys_that_are_no_text_are_refused() -> None:
    assert "Keys should be strings" in complaints({1: 2})[0]


def test_a_kind_left_out_is_the_one_that_stands_there_by_default() -> None:
    assert checked(Root, {"net": {"depth": 5}}, origin="here").net == Small(depth=5)
    assert Root.model_validate({"net": {"depth": 5}}).net == Small(depth=5)
    assert complaints({"net": {"width": 5}, "lr": -1}) == [
        "lr = -1  must be greater than 0",
        "net.width  unknown key; it belongs to kind=wide. Known here: depth, kind",
    ]


class Told(Settings):
    net: Annotated[AnyNet, ImpliedKind(lambda values: "wide" if "width" in values else None)] = (
        Small()
    )


@pytest.mark.parametrize("kind", [{}, {"kind": None}])
def test_a_kind_left_out_or_null_is_the_one_that_the_values_imply(kind: dict[str, None]) -> None:
    assert checked(Told, {"net": {"width": 5, **kind}}, origin="here").net == Wide(width=5)
    assert Told.model_validate({"net": {"width": 5, **kind}}).net == Wide(width=5)
    assert checked(Told, {"net": {"depth": 5, **kind}}, origin="here").net == Small(depth=5)


def test_a_kind_that_is_given_is_kept_whatever_the_values_imply() -> None:
    with pytest.raises(UsageError, match=r"net\.width  unknown key; it belongs to kind=wide"):
        checked(Told, {"net": {"kind": "small", "width": 5}}, origin="here")


def test_a_kind_alone_is_enough() -> None:
    assert checked(Root, {"net": "wide"}, origin="here").net == Wide()
    assert Root.model_validate({"net": "wide"}).net == Wide()
    (line,) = complaints({"net": "wde"})
    assert line == "net.kind = wde  unknown; did you mean 'wide'? Known: small, wide"


def test_a_kind_alone_is_enough_inside_a_list_too() -> None:
    wanted = (Wide(), Small(depth=5))
    given = ["wide", {"kind": "small", "depth": 5}]
    assert checked(Root, {"nets": given}, origin="here").nets == wanted
    assert Root.model_validate({"nets": tuple(given)}).nets == wanted
    assert complaints({"nets": ["small", "wde"]}) == [
        "nets[1].kind = wde  unknown; did you mean 'wide'? Known: small, wide"
    ]
    assert complaints({"terms": ["wide"]}) == ["terms[0] = 'wide'  must be a mapping of keys"]


def test_a_word_is_no_kind_where_values_imply_it() -> None:
    """There it may be a path, which is short for settings of its own."""
    with pytest.raises(UsageError, match=r"net = 'small'  must be a mapping"):
        checked(Told, {"net": "small"}, origin="here")


def test_a_kind_left_out_where_none_stands_is_missing() -> None:
    assert complaints({"nets": [{"depth": 5}]}) == ["nets[0].kind  missing; known: small, wide"]
