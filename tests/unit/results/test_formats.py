import pytest

from understudy.results import formats


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.534, "53.4 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (None, "–")],
)
def test_shares_are_written_as_percent(share: float | None, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.079, "+7.9"), (-0.012, "−1.2"), (0.0004, "0.0"), (-0.0004, "0.0"), (None, "–")],
)
def test_differences_are_written_as_points_with_their_sign(
    difference: float | None, text: str
) -> None:
    assert formats.points(difference) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((985, "985"), (78_042, "78 k"), (4_903_242, "4.9 M"), (1_500, "1.5 k")),
        *((999_600, "1.0 M"), (9_990, "10 k"), (3e9, "3.0 G"), (None, "–"), (0, "0")),
    ],
)
def test_counts_have_three_figures_at_most(number: float | None, text: str) -> None:
    assert formats.count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((4.24, "4.2 s"), (42.0, "42 s"), (59.7, "1 min 00 s"), (200, "3 min 20 s")),
        *((3_900, "1 h 05 min"), (183_600, "2 d 03 h"), (None, "–"), (9.96, "10 s")),
    ],
)
def test_times_are_written_in_their_two_largest_units(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0214, "0.021"), (0.834, "0.83"), (9.996, "10.0"), (12.44, "12.4"), (104.2, "104")],
)
def test_latencies_have_three_figures(value: float, text: str) -> None:
    assert formats.milliseconds(value) == text


def test_lists_end_with_and() -> None:
    assert formats.listed(["a"]) == "a"
    assert formats.listed(["a", "b", "c"]) == "a, b and c"


def test_one_is_singular() -> None:
    assert (formats.plural(1, "seed"), formats.plural(3, "seed")) == ("1 seed", "3 seeds")
