import pytest

from understudy.core.errors import UsageError
from understudy.core.settings import Settings, checked
from understudy.objectives.weight import Ramp, Weight, weight_at


class Weighted(Settings):
    weight: Weight = 1.0


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, 0.2), (0.25, 0.2), (0.5, 0.5), (0.625, 0.65), (0.75, 0.8), (1.0, 0.8)],
)
def test_a_ramp_is_straight_between_two_levels(progress: float, expected: float) -> None:
    ramp = Ramp(start=0.2, end=0.8, after=0.25, until=0.75)

    assert weight_at(ramp, progress) == pytest.approx(expected)


@pytest.mark.parametrize(("progress", "expected"), [(0.29, 1.0), (0.3, 0.0), (0.31, 0.0)])
def test_a_ramp_of_no_length_is_a_jump(progress: float, expected: float) -> None:
    assert weight_at(Ramp(start=1, end=0, after=0.3, until=0.3), progress) == expected


def test_a_number_stays() -> None:
    assert weight_at(0.7, 0.0) == weight_at(0.7, 1.0) == 0.7


def test_it_is_read_from_a_number_or_from_the_keys_of_a_ramp() -> None:
    assert checked(Weighted, {"weight": 2}, origin="here").weight == 2.0
    assert checked(Weighted, {"weight": {"until": 0.1}}, origin="here").weight == Ramp(until=0.1)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1, r"1 mistake\n  weight = -1 .* 0"),
        ("much", r"1 mistake\n  weight = 'much' .*number"),
        ({"end": -1}, r"1 mistake\n  weight.end = -1 .* 0"),
        ({"until": 2}, r"1 mistake\n  weight.until = 2 .* 1"),
        ({"untill": 1}, r"1 mistake\n  weight.untill .*'until'"),
        ({"after": 0.5, "until": 0.2}, r"1 mistake\n  weight .*`after` \(0.5\)"),
    ],
)
def test_a_mistake_is_told_once(weight: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        checked(Weighted, {"weight": weight}, origin="here")


def test_a_movement_times_a_factor_is_that_many_times_as_large_at_any_time() -> None:
    ramp = Ramp(start=0.1, end=5, after=0.2, until=0.6)

    for progress in (0.0, 0.2, 0.3, 0.5, 0.6, 1.0):
        assert weight_at(ramp.times(3), progress) == pytest.approx(3 * weight_at(ramp, progress))
    assert str(ramp) == "0.1 to 5"
