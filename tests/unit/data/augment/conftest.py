"""What the tests of transforms share: dice, and images that show every mistake."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from understudy.data.augment.transform import Dice
from understudy.data.counter import states


@pytest.fixture
def dice() -> Callable[[int], Dice]:
    """Dice for so many views, one of each image."""

    def of(count: int) -> Dice:
        index = torch.arange(count)
        words = states(seed=1, view_ids=torch.zeros_like(index), index=index)
        return Dice(words=words, scope="test")

    return of


@pytest.fixture
def colours() -> Tensor:
    """[40, 3, 9, 7]: random images, greys, black, white and the pure colours."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(40, 3, 9, 7, generator=generator)
    images[0], images[1] = 0, 1
    images[2] = images[2, :1]
    images[3:10] = 0
    for place, channels in enumerate([(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]):
        images[3 + place, channels] = 0.7
    return images
