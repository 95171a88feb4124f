import pytest
import torch
from tests.unit.objectives.distill.outputs import features, rotation
from torch.testing import assert_close

from understudy.objectives.distill.correlation import correlation_distance, correlations


def test_the_series_approaches_the_gaussian_kernel() -> None:
    found = features(5, seed=1)
    directions = found / found.norm(dim=1, keepdim=True)
    kernel = (-0.4 * torch.cdist(directions, directions).square()).exp()

    errors = [(correlations(found, 0.4, order) - kernel).abs().max() for order in (1, 2, 4, 8, 16)]

    assert errors == sorted(errors, reverse=True)
    assert_close(correlations(found, 0.4, 16), kernel)


def test_turned_features_of_any_length_cost_nothing() -> None:
    teacher = features(5, seed=1)
    lengths = torch.linspace(0.1, 30, 6, dtype=torch.float64)[:, None]

    found = correlation_distance(lengths * teacher @ rotation(5), teacher, 0.4, 2)

    assert found.item() == pytest.approx(0, abs=1e-15)
    assert correlation_distance(features(5, seed=2), teacher, 0.4, 2) > 1e-3


def test_an_image_alone_correlates_with_nothing() -> None:
    alone = features(5, seed=1, images=1), features(5, seed=2, images=1)

    assert correlation_distance(*alone, 0.4, 2).item() == pytest.approx(0, abs=1e-30)
