import os
import subprocess
import sys
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from understudy.models.residual import NARROW, Residual, Thinned, scaled, stage, stem


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


GRADIENTS = """
import torch
from understudy.models.residual import Residual

torch.set_num_threads({threads})
torch.manual_seed(0)
block = Residual({channels}, 8, stride=2, convolutions=1)
apart = 0.0
for _ in range(30):
    features, wanted = torch.rand(16, {channels}, 16, 16), torch.rand(16, 8, 8, 8)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        block.to(memory_format=layout).zero_grad()
        block(features.to(memory_format=layout)).backward(wanted)
        found.append(block.shortcut[0].weight.grad.flatten().clone())
    apart = max(apart, float((found[0] - found[1]).norm() / found[0].norm()))
print(apart)
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_gradients_of_few_channels_are_equal_in_both_layouts(threads: int) -> None:
    """In a process of its own: with AVX2, memory was overwritten, or half of the gradient wrong."""
    script = GRADIENTS.format(channels=NARROW // 2, threads=threads)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "ONEDNN_MAX_CPU_ISA": "AVX2"},
    )

    assert done.returncode == 0, done.stderr[-500:]
    assert float(done.stdout) < 1e-4


def test_a_thinned_convolution_is_the_one_with_a_stride() -> None:
    narrow, wide = (
        Residual(4, 8, stride=2, convolutions=1),
        Residual(16, 8, stride=2, convolutions=1),
    )
    images = torch.rand(2, 4, 7, 9)

    layers: Any = narrow.shortcut
    assert isinstance(layers[0], Thinned)
    strided = F.conv2d(images, layers[0].weight, stride=2)
    assert_close(layers[0].train()(images), strided)
    assert torch.equal(layers[0].eval()(images), strided)
    assert type(next(iter(wide.shortcut.children()))) is nn.Conv2d
