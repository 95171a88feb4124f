from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from understudy.models.residual import Residual, scaled, stage, stem


def test_two_convolutions_add_before_the_last_relu() -> None:
    block = Residual(4, 4, stride=1, convolutions=2)
    features = torch.randn(2, 4, 5, 5)

    found = block(features)

    layers: Any = block.body
    (first, first_norm), _, (second, second_norm) = layers
    body = second_norm(second(F.relu(first_norm(first(features)))))
    assert_close(found, F.relu(body + features))


def test_one_convolution_has_a_relu_of_its_own_before_the_sum() -> None:
    block = Residual(4, 4, stride=1, convolutions=1)
    features = torch.randn(2, 4, 5, 5)

    found = block(features)

    layers: Any = block.body
    (only, norm), _ = layers
    assert_close(found, F.relu(F.relu(norm(only(features))) + features))


@pytest.mark.parametrize("convolutions", [1, 2])
def test_the_shortcut_projects_exactly_where_the_shape_changes(
    convolutions: Literal[1, 2],
) -> None:
    same = Residual(4, 4, stride=1, convolutions=convolutions)
    wider = Residual(4, 8, stride=1, convolutions=convolutions)
    smaller = Residual(4, 4, stride=2, convolutions=convolutions)

    assert isinstance(same.shortcut, nn.Identity)
    assert wider(torch.rand(2, 4, 7, 7)).shape == (2, 8, 7, 7)
    assert smaller(torch.rand(2, 4, 7, 7)).shape == (2, 4, 4, 4)


def test_the_input_is_left_as_it_was() -> None:
    features = torch.randn(2, 4, 5, 5)
    before = features.clone()

    Residual(4, 4, stride=1, convolutions=2)(features)

    assert torch.equal(features, before)


def test_a_stage_changes_resolution_once() -> None:
    blocks = stage(4, 8, blocks=3, stride=2, convolutions=2)

    assert blocks(torch.rand(2, 4, 8, 8)).shape == (2, 8, 4, 4)


def test_the_stem_keeps_the_resolution() -> None:
    assert stem(5, 8)(torch.rand(2, 5, 8, 8)).shape == (2, 8, 8, 8)


@pytest.mark.parametrize(("width", "channels"), [(1.0, 16), (0.5, 8), (4.0, 64), (0.001, 1)])
def test_a_width_factor_leaves_at_least_one_channel(width: float, channels: int) -> None:
    assert scaled(16, width) == channels
