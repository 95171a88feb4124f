from collections.abc import Callable

import pytest
import torch
from torch.testing import assert_close

from understudy.data.augment.brightness import Brightness, BrightnessSettings
from understudy.data.augment.transform import Dice, Frame, Size, Statistics

KNOWN = Statistics(mean=(0.03, 0.2), std=(0.01, 0.05))
FRAME = Frame(Size(8, 8), Size(8, 8), KNOWN)


def test_every_channel_gets_the_same_number_of_its_own_deviations() -> None:
    images = torch.full((3, 2, 4, 4), 0.5)
    drawn = Brightness(torch.tensor([True, True, False]), torch.tensor([0.4, -0.2, 9.0]), KNOWN.std)

    found = drawn.apply(images.clone())[:, :, 0, 0]

    assert_close(found, torch.tensor([[0.504, 0.52], [0.498, 0.49], [0.5, 0.5]]))


def test_changes_lie_evenly_in_the_range(dice: Callable[[int], Dice]) -> None:
    delta = BrightnessSettings(most=0.4).draw(dice(10_000), FRAME).delta

    assert -0.4 <= delta.min() < -0.39
    assert 0.39 < delta.max() <= 0.4
    assert abs(float(delta.mean())) < 0.01


def test_without_statistics_it_says_what_is_missing(dice: Callable[[int], Dice]) -> None:
    with pytest.raises(ValueError, match="give `statistics`"):
        BrightnessSettings().draw(dice(4), Frame(Size(8, 8), Size(8, 8)))
