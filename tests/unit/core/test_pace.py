"""How long a piece of work will still take."""

import pytest

from understudy.core.pace import Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("earlier", [0, 50])
def test_what_an_earlier_attempt_did_and_the_first_unit_say_nothing_of_the_speed(
    earlier: int,
) -> None:
    clock = Clock()
    pace = Pace(100, clock)
    pace.advance(earlier)
    assert pace.seconds_left is None

    clock.now += 60  # compiling
    pace.advance(1)
    assert pace.seconds_left is None
    for _ in range(10):
        clock.now += 2
        pace.advance(1)

    assert pace.done == earlier + 11
    assert pace.seconds_left == 2 * (100 - earlier - 11)


def test_nothing_is_said_of_more_than_was_told() -> None:
    pace = Pace(2, Clock())
    for _ in range(3):
        pace.advance(1)

    assert pace.seconds_left is None
