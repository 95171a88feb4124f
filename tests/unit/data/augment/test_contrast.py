import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.data.augment.contrast import stretched


def test_each_channel_is_stretched_about_its_own_mean(colours: Tensor) -> None:
    images = 0.4 + 0.2 * colours[10:]
    factor = torch.linspace(0, 1.4, len(images)).view(-1, 1, 1, 1)

    found = stretched(images, factor)

    assert_close(found.mean(dim=(2, 3)), images.mean(dim=(2, 3)), atol=1e-6, rtol=0)
    assert_close(found.std(dim=(2, 3)), images.std(dim=(2, 3)) * factor[:, :, 0, 0])


def test_a_factor_of_one_changes_nothing(colours: Tensor) -> None:
    assert_close(stretched(colours, torch.ones(40, 1, 1, 1)), colours)
