from collections.abc import Callable

import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.grayscale import Grayscale, GrayscaleSettings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000
FRAME = Frame(source=Size(8, 8), target=Size(8, 8))


def test_chosen_images_have_torchvisions_values_and_others_their_own(colours: Tensor) -> None:
    applied = torch.arange(len(colours)) % 3 == 0

    views = Grayscale(applied).apply(colours.clone())

    expected = oracle.rgb_to_grayscale(colours, num_output_channels=3)
    assert_close(views[applied], expected[applied], atol=1e-6, rtol=0)
    assert torch.equal(views[~applied], colours[~applied])


def test_the_wanted_share_of_views_is_chosen(dice: Callable[[int], Dice]) -> None:
    drawn = GrayscaleSettings(probability=0.2).draw(dice(COUNT), FRAME)

    assert abs(drawn.applied.double().mean() - 0.2) < 4 * (0.2 * 0.8 / COUNT) ** 0.5


def test_luma_needs_three_channels() -> None:
    assert GrayscaleSettings().objection(3) is None
    assert GrayscaleSettings().objection(1) == "needs 3 channels; leave it out"
