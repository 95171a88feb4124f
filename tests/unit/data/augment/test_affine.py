from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.affine import (
    moved_down,
    moved_right,
    rotated,
    slanted_down,
    slanted_right,
)

NOTHING: dict[str, Any] = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}


def by_torchvision(image: Tensor, **changes: Any) -> Tensor:
    asked = {**NOTHING, **changes}
    changed: Tensor = oracle.affine(image, interpolation=InterpolationMode.BILINEAR, **asked)
    return changed


@pytest.mark.parametrize(
    ("change", "strength", "asked"),
    [
        (rotated, 30.0, {"angle": 30.0}),
        (rotated, -17.0, {"angle": -17.0}),
        (slanted_right, 1.0, {"shear": [-45.0, 0.0]}),
        (slanted_down, -1.0, {"shear": [0.0, 45.0]}),
        (moved_right, 2 / 7, {"translate": [2, 0]}),
        (moved_down, -3 / 9, {"translate": [0, -3]}),
    ],
)
def test_values_are_torchvisions(
    colours: Tensor, change: Callable[..., Tensor], strength: float, asked: dict[str, Any]
) -> None:
    views = change(colours, torch.full((len(colours), 1, 1, 1), strength))

    assert_close(views, by_torchvision(colours, **asked), atol=2e-6, rtol=0)
    assert not torch.equal(views[12:], colours[12:])


def test_each_image_is_moved_by_its_own_and_a_half_pixel_is_a_mean(colours: Tensor) -> None:
    shares = torch.zeros(len(colours), 1, 1, 1)
    shares[20] = 0.5 / colours.shape[3]

    views = moved_right(colours, shares)

    assert_close(views[:20], colours[:20])
    left, right = colours[20, :, :, :-1], colours[20, :, :, 1:]
    assert_close(views[20, :, :, 1:], (left + right) / 2)
