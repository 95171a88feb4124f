from collections.abc import Callable

import torch
from torch.testing import assert_close

from understudy.data.augment.gain import GainSettings
from understudy.data.augment.transform import Dice, Frame, Size

FRAME = Frame(Size(8, 8), Size(8, 8))


def test_what_bands_are_to_each_other_stays(dice: Callable[[int], Dice]) -> None:
    """The vegetation index, as an example of what a gain must not change."""
    images = 0.01 + 0.3 * torch.rand(50, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    found = GainSettings().draw(dice(50), FRAME).apply(images.clone())

    def index(of: torch.Tensor) -> torch.Tensor:
        return (of[:, 3] - of[:, 2]) / (of[:, 3] + of[:, 2])

    assert not torch.equal(found, images)
    assert_close(index(found), index(images), atol=1e-4, rtol=1e-4)


def test_factors_lie_about_one(dice: Callable[[int], Dice]) -> None:
    factor = GainSettings(most=0.5).draw(dice(10_000), FRAME).factor

    assert 0.5 <= factor.min() < 0.51
    assert 1.49 < factor.max() <= 1.5
