from collections.abc import Callable

import pytest

from understudy.data.augment.flip import (
    FlipSettings,
    HorizontalFlipSettings,
    VerticalFlipSettings,
)
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000
FRAME = Frame(source=Size(8, 8), target=Size(8, 8))


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 1.0])
def test_the_wanted_share_of_views_is_mirrored(
    probability: float, dice: Callable[[int], Dice]
) -> None:
    sideways = HorizontalFlipSettings(probability=probability).draw(dice(COUNT), FRAME)
    upside_down = VerticalFlipSettings(probability=probability).draw(dice(COUNT), FRAME)

    bound = 4 * (probability * (1 - probability) / COUNT) ** 0.5
    assert abs(sideways.horizontal.double().mean() - probability) <= bound
    assert abs(upside_down.vertical.double().mean() - probability) <= bound
    assert not sideways.vertical.any()
    assert not upside_down.horizontal.any()


def test_all_four_positions_are_equally_likely(dice: Callable[[int], Dice]) -> None:
    drawn = FlipSettings().draw(dice(COUNT), FRAME)

    for sideways in (False, True):
        for upside_down in (False, True):
            share = (drawn.horizontal == sideways) & (drawn.vertical == upside_down)
            assert abs(share.double().mean() - 0.25) <= 4 * (0.25 * 0.75 / COUNT) ** 0.5
