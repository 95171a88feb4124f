import pytest
import torch
from torch import Tensor

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.selfsup.redundancy_reduction import (
    RedundancyReductionSettings,
    cross_correlation,
)


def whitened(images: int, width: int) -> Tensor:
    """Features with mean 0 and variance 1 that do not correlate."""
    drawn = torch.randn(images, width, generator=torch.Generator().manual_seed(4))
    columns, _ = torch.linalg.qr(drawn.double() - drawn.double().mean(dim=0))
    scaled: Tensor = columns * images**0.5
    return scaled


def test_whitened_views_that_agree_have_nothing_to_learn(student: Shape, targets: Targets) -> None:
    objective = RedundancyReductionSettings().build(student, None, torch.arange(4))
    features = whitened(64, 8)
    lengths = torch.linspace(0.5, 20, 8, dtype=torch.float64)
    views = (Outputs(projected=features), Outputs(projected=lengths * features + 3))

    found = objective(views, None, targets)

    assert found["invariance"].item() == pytest.approx(0, abs=1e-8)
    assert found["redundancy"].item() == pytest.approx(0, abs=1e-8)


def test_collapsed_features_cost_one_each_and_stay_finite(student: Shape, targets: Targets) -> None:
    objective = RedundancyReductionSettings().build(student, None, torch.arange(4))
    same = torch.ones(16, 8, requires_grad=True)

    found = objective((Outputs(projected=same), Outputs(projected=same)), None, targets)
    sum(found.values()).backward()

    assert found["invariance"].item() == pytest.approx(8)
    assert found["redundancy"].item() == pytest.approx(0)
    assert same.grad is not None and same.grad.isfinite().all()


def test_a_feature_twice_is_redundant(student: Shape, targets: Targets) -> None:
    objective = RedundancyReductionSettings(redundant=0.5).build(student, None, torch.arange(4))
    single = whitened(64, 4)
    twice = Outputs(projected=torch.cat([single, single], dim=1))

    found = objective((twice, twice), None, targets)

    assert found["redundancy"].item() == pytest.approx(0.5 * 8, rel=1e-4)


def test_autocast_does_not_reach_the_correlation(student: Shape, targets: Targets) -> None:
    objective = RedundancyReductionSettings(redundant=1.0).build(student, None, torch.arange(4))
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 32, 8))
    expected = sum(objective(views, None, targets).values())

    with torch.autocast("cpu", torch.bfloat16):
        found = sum(objective(views, None, targets).values())

    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_a_correlation_lies_between_minus_one_and_one() -> None:
    features = torch.randn(16, 4)

    found = cross_correlation(features, -2 * features + 1)

    assert found.abs().max() <= 1
    assert found.diagonal().tolist() == pytest.approx([-1] * 4, abs=1e-4)
