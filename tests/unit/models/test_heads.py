from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.models.heads import (
    HiddenSettings,
    Missing,
    Projector,
    ProjectorSettings,
    Prototypes,
)


@pytest.mark.parametrize("layers", [2, 3])
def test_every_layer_is_linear_without_bias_and_normalised(layers: int) -> None:
    projector = Projector(
        inputs=6, hidden=10, out=4, layers=layers, normed="every", prototypes=None
    )

    linear = [each for each in projector.modules() if isinstance(each, nn.Linear)]
    norms = [each for each in projector.modules() if isinstance(each, nn.BatchNorm1d)]
    assert [each.in_features for each in linear] == [6, *[10] * (layers - 1)]
    assert [each.out_features for each in linear] == [*[10] * (layers - 1), 4]
    assert all(each.bias is None for each in linear)
    assert len(norms) == layers
    assert [each.affine for each in norms] == [*[True] * (layers - 1), False]


def test_what_comes_out_is_centred_and_scaled_over_the_batch() -> None:
    projector = ProjectorSettings(hidden=10, out=4).build(6)

    projected = projector(torch.randn(64, 6))

    assert projected.shape == (64, projector.out)
    assert_close(projected.mean(dim=0), torch.zeros(4), atol=1e-5, rtol=0)
    assert_close(projected.var(dim=0, correction=0), torch.ones(4), atol=1e-2, rtol=0)


def test_a_missing_head_says_what_to_do() -> None:
    head = Missing("classifier", remedy="Finetune it first.")

    with pytest.raises(UsageError, match=r"no classifier\. Finetune it first\."):
        head(torch.rand(2, 3))


def test_other_numbers_of_layers_are_refused() -> None:
    with pytest.raises(UsageError, match=r"layers = 4.*2 or 3"):
        checked(ProjectorSettings, {"layers": 4}, origin="here")


def test_with_prototypes_come_out_the_cosines_with_them() -> None:
    projector = ProjectorSettings(hidden=10, out=4, layers=3, normed="inner", prototypes=7).build(6)
    bottleneck, prototypes = projector.layers[:-1], projector.layers[-1]
    assert isinstance(prototypes, Prototypes)
    pooled = torch.randn(5, 6)

    projected = projector(pooled)

    features = bottleneck(pooled)
    expected = nn.functional.cosine_similarity(features[:, None], prototypes.weight[None], dim=2)
    assert projector.out == 7
    assert_close(projected, expected)


def test_the_length_of_a_prototype_counts_nothing_and_begins_at_one() -> None:
    prototypes, features = Prototypes(inputs=4, count=7), torch.randn(5, 4)
    before = prototypes(features)
    assert_close(prototypes.weight.norm(dim=1), torch.ones(7))

    with torch.no_grad():
        prototypes.weight.mul_(torch.rand(7, 1) + 0.1)

    assert_close(prototypes(features), before)


def test_prototypes_are_compared_in_single_precision_under_autocast() -> None:
    prototypes, features = Prototypes(inputs=64, count=7), torch.randn(5, 64)
    expected = prototypes(features)

    with torch.autocast("cpu", torch.bfloat16):
        found = prototypes(features)

    assert found.dtype == torch.float32
    assert_close(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("normed", ["every", "inner", "none"])
@pytest.mark.parametrize(("layers", "kept"), [(2, 1), (3, 1), (3, 2)])
def test_what_is_kept_of_a_projector_computes_its_first_layers(
    layers: Any, kept: int, normed: Any
) -> None:
    settings = ProjectorSettings(hidden=6, out=4, layers=layers, normed=normed)
    projector = settings.build(5)
    hidden = HiddenSettings.first_of(settings, layers=kept).build(5)
    features = torch.randn(16, 5)
    projector(features)  # moves the statistics of its batch norms

    hidden.take(projector)

    projector.eval()
    hidden.eval()
    each = 2 if normed == "none" else 3  # linear, batch norm, relu
    expected = projector.layers[: kept * each](features)
    assert_close(hidden(features), expected)
    assert hidden.out == expected.shape[1] == 6


def test_the_last_layer_of_a_projector_is_never_kept() -> None:
    with pytest.raises(UsageError, match="at most 1"):
        HiddenSettings.first_of(ProjectorSettings(layers=2), layers=2)
