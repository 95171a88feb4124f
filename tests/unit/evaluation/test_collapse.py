import pytest
import torch
from torch import Tensor

from understudy.evaluation.collapse import Division, extent


def around(centre: float, *, images: int = 200, width: int = 32) -> Tensor:
    """Noise of size 1 in all directions around a point that is `centre` away from the origin."""
    generator = torch.Generator().manual_seed(0)
    point = torch.full((width,), centre / width**0.5)
    noise = torch.randn(images, width, generator=generator)
    moved: Tensor = point + noise / width**0.5
    return moved


@pytest.mark.parametrize(("centre", "collapsed"), [(0, False), (3, False), (30, True)])
def test_images_that_point_one_way_have_collapsed(centre: float, collapsed: bool) -> None:
    found = extent(around(centre))

    assert found.is_collapsed is collapsed
    assert found.dimensions == 32


def test_features_on_one_line_have_collapsed_however_far_apart() -> None:
    line = torch.linspace(-1, 1, 64)[:, None] * torch.ones(1, 32)

    found = extent(line)

    assert found.spread > 0.9
    assert found.effective_rank == pytest.approx(1)
    assert found.is_collapsed


@pytest.mark.parametrize("shape", [(200, 2), (2, 200)])
def test_a_rank_that_cannot_be_high_tells_of_no_collapse(shape: tuple[int, int]) -> None:
    features = around(0, images=shape[0], width=shape[1])

    found = extent(features)

    assert found.effective_rank <= 2
    assert not found.is_collapsed


def test_a_dead_network_has_collapsed() -> None:
    assert extent(torch.zeros(20, 16)).is_collapsed


def test_assignments_that_hardly_divide_images_have_collapsed() -> None:
    assert Division(1.01).is_collapsed
    assert not Division(1.2).is_collapsed
