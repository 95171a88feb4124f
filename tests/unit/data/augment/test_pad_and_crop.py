from collections.abc import Callable

import torch

from understudy.data.augment.pad_and_crop import PadAndCropSettings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 9000
FRAME = Frame(source=Size(32, 32), target=Size(32, 32))


def test_all_shifts_are_equally_likely_and_independent(dice: Callable[[int], Dice]) -> None:
    window = PadAndCropSettings(padding=1).draw(dice(COUNT), FRAME)

    counts = torch.bincount((window.top + 1) * 3 + window.left + 1, minlength=9)

    assert len(counts) == 9
    assert (counts - COUNT / 9).abs().max() < 4 * (COUNT / 9) ** 0.5


def test_windows_keep_the_size_of_the_image(dice: Callable[[int], Dice]) -> None:
    window = PadAndCropSettings().draw(dice(5), FRAME)

    assert window.height.tolist() == window.width.tolist() == [32] * 5
    assert window.source == window.target == (32, 32)


def test_shifts_reach_the_padding_and_no_further(dice: Callable[[int], Dice]) -> None:
    window = PadAndCropSettings(padding=4).draw(dice(COUNT), FRAME)

    for shift in (window.top, window.left):
        assert int(shift.min()) == -4
        assert int(shift.max()) == 4


def test_the_other_views_are_not_shifted(dice: Callable[[int], Dice]) -> None:
    window = PadAndCropSettings(probability=0.5, padding=50).draw(dice(COUNT), FRAME)

    still = (window.top == 0) & (window.left == 0)
    assert abs(still.double().mean() - 0.5) < 4 * 0.5 / COUNT**0.5 + 0.0001
