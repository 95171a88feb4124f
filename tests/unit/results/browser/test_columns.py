import pytest

from understudy.results.browser.columns import Kind, kind_of


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("arch", ["a", "b", "a", "b"], "axis"),
        ("pretrain", ["True", "False", "True"], "axis"),
        ("percent", ["1", "3", "1", "3", "1", "3"], "axis"),
        ("temperature", ["0.5", "1.0", "2.0"] * 3, "axis"),
        ("temperature", ["0.5", "1.0", "2.0"], "figure"),
        ("f1", ["0.5"] * 9, "figure"),
        ("top1", ["0.5", "0.6"] * 9, "figure"),
        ("test accuracy", ["50", "60"] * 9, "figure"),
        ("test_auc@0.5", ["50", "60"] * 9, "figure"),
        ("F0.5", ["0"] * 9, "figure"),
        ("fraction", ["0.1", "0.5", "1.0"] * 3, "axis"),
        ("seed", ["1", "2", "3"], "axis"),
        ("loss", ["1.5", "inf", "nan"], "figure"),
        ("note", ["one", "two", "three"], "label"),
        ("", ["0", "1", "2"], "index"),
        ("Unnamed: 0", ["0", "1", "2"], "index"),
        ("flavour", [f"{at}" for at in range(100)] * 4, "figure"),
        ("words", [f"w{at}" for at in range(100)] * 4, "label"),
    ],
)
def test_a_column_is_known_by_its_name_and_by_what_comes_again(
    name: str, cells: list[str], kind: Kind
) -> None:
    assert kind_of(name, cells) == kind
