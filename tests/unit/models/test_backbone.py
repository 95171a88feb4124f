import math

import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.types import Tap
from understudy.models.backbone import Staged
from understudy.models.residual import stage, stem

EVERYTHING = frozenset({Tap.POOLED, Tap.STAGES})


def staged() -> Staged:
    return Staged(
        stem=stem(3, 64),
        stages=[
            stage(64, 96, blocks=1, stride=1, convolutions=2),
            stage(96, 128, blocks=1, stride=2, convolutions=2),
        ],
        widths=(96, 128),
        strides=(1, 2),
    )


def test_pooled_is_the_mean_over_the_last_stage() -> None:
    outputs = staged()(torch.rand(2, 3, 9, 9), EVERYTHING)

    assert_close(outputs.pooled, outputs.stages[-1].flatten(2).mean(dim=2))


def test_odd_sizes_shrink_to_their_ceiling() -> None:
    outputs = staged()(torch.rand(2, 3, 9, 7), EVERYTHING)

    assert [tuple(each.shape[2:]) for each in outputs.stages] == [(9, 7), (5, 4)]


def test_convolutions_start_as_kaiming_normal_over_their_outputs() -> None:
    """Standard deviation sqrt(2 / (outputs x kernel area)), mean zero."""
    torch.manual_seed(3)
    convolutions = [each for each in staged().modules() if isinstance(each, nn.Conv2d)]

    for each in convolutions:
        expected = math.sqrt(2 / (each.out_channels * math.prod(each.kernel_size)))
        assert abs(each.weight.std().item() / expected - 1) < 0.1
        assert abs(each.weight.mean().item()) < 0.1 * expected


def test_batch_norms_start_as_one_and_zero() -> None:
    norms = [each for each in staged().modules() if isinstance(each, nn.BatchNorm2d)]

    assert norms
    assert all((each.weight == 1).all() and (each.bias == 0).all() for each in norms)
