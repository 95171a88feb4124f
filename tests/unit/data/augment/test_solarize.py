from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.solarize import Solarize, SolarizeSettings
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000
FRAME = Frame(source=Size(8, 8), target=Size(8, 8))


def test_values_are_torchvisions_for_every_image_by_its_own_threshold(colours: Tensor) -> None:
    thresholds = torch.linspace(0, 1, len(colours))
    colours[5, 0, 0, 0] = thresholds[5]  # the threshold itself is bright
    everything = torch.ones(len(colours), dtype=torch.bool)

    views = Solarize(everything, thresholds).apply(colours.clone())

    for view, image, threshold in zip(views, colours, thresholds, strict=True):
        assert torch.equal(view, oracle.solarize(image, float(threshold)))


def test_other_images_keep_every_bit(colours: Tensor) -> None:
    applied = torch.arange(len(colours)) % 2 == 0

    views = Solarize(applied, torch.full((len(colours),), 0.5)).apply(colours.clone())

    assert torch.equal(views[~applied], colours[~applied])


def test_the_wanted_share_of_views_is_chosen(dice: Callable[[int], Dice]) -> None:
    drawn = SolarizeSettings(probability=0.2, threshold=0.4).draw(dice(COUNT), FRAME)

    assert abs(drawn.applied.double().mean() - 0.2) < 4 * (0.2 * 0.8 / COUNT) ** 0.5
    assert torch.equal(drawn.threshold, torch.full((COUNT,), 0.4))
