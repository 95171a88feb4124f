from collections.abc import Callable

import torch
from torch.testing import assert_close

from understudy.data.augment.speckle import SpeckleSettings
from understudy.data.augment.transform import Dice, Frame, Size, Statistics

KNOWN = Statistics(mean=(0.03, 0.2), std=(0.01, 0.02))
FRAME = Frame(Size(40, 40), Size(40, 40), KNOWN)
COUNT = 200


def test_lost_pixels_are_far_off_in_all_channels_and_the_others_untouched(
    dice: Callable[[int], Dice],
) -> None:
    images = torch.rand(COUNT, 2, 40, 40, generator=torch.Generator().manual_seed(0))

    found = SpeckleSettings(most=0.5).draw(dice(COUNT), FRAME).apply(images.clone())

    lost = (found != images).any(dim=1)
    kept = ~lost[:, None].expand_as(images)
    assert torch.equal(found[kept], images[kept])
    values = sorted(set(map(tuple, found.movedim(1, 3)[lost].tolist())))
    assert_close(torch.tensor(values), torch.tensor([[0.0, 0.1], [0.08, 0.3]]))  # 0 is the end


def test_shares_are_those_drawn_and_bright_is_as_likely_as_dark(
    dice: Callable[[int], Dice],
) -> None:
    drawn = SpeckleSettings(most=0.5).draw(dice(COUNT), FRAME)

    found = drawn.apply(torch.full((COUNT, 2, 40, 40), 0.5))

    lost = (found != 0.5).all(dim=1).double().mean(dim=(1, 2))
    assert (lost - drawn.share).abs().max() < 5 * (0.25 / 1600) ** 0.5
    high = (found[:, 1] > 0.25) & (found[:, 1] != 0.5)
    assert abs(float(high.sum() / (found[:, 1] != 0.5).sum()) - 0.5) < 0.01


def test_no_two_views_lose_the_same_pixels(dice: Callable[[int], Dice]) -> None:
    found = (
        SpeckleSettings(most=1.0)
        .draw(dice(COUNT), FRAME)
        .apply(torch.full((COUNT, 2, 40, 40), 0.5))
    )

    assert len({bytes(one.numpy().data) for one in found}) == COUNT
