import pytest
import torch

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.selfsup.vicreg import (
    VicregSettings,
    covariance,
    lacking_deviation,
)


def test_the_variance_lacks_what_is_below_one_and_no_more() -> None:
    spread = torch.tensor([[-1.0, -10.0, -0.5], [1.0, 10.0, 0.5]])  # variances 2, 200 and 0.5

    found = lacking_deviation(spread)

    assert found.item() == pytest.approx((1 - (0.5 + 1e-4) ** 0.5) / 3)


def test_collapsed_features_cost_the_whole_variance_and_can_leave(
    student: Shape, targets: Targets
) -> None:
    objective = VicregSettings().build(student, None, torch.arange(4))
    same = torch.ones(4, 8)
    nearly = (same + 1e-3 * torch.randn(4, 8)).requires_grad_()

    found = objective((Outputs(projected=same), Outputs(projected=same)), None, targets)
    moving = objective((Outputs(projected=nearly), Outputs(projected=same)), None, targets)
    (gradient,) = torch.autograd.grad(moving["variance"], nearly)

    assert found["variance"].item() == pytest.approx(25 * 0.99)  # the authors' 1e-4 is a deviation
    assert found["invariance"].item() == 0
    assert found["covariance"].item() == 0
    assert gradient.isfinite().all() and gradient.abs().sum() > 0


def test_features_that_go_together_cost_their_covariance() -> None:
    feature = torch.randn(64, 1, generator=torch.Generator().manual_seed(1))

    assert covariance(feature).item() == 0
    pair = covariance(torch.cat([feature, -feature], dim=1))
    assert pair.item() == pytest.approx(float(feature.var()) ** 2, rel=1e-5)


def test_autocast_does_not_reach_the_covariance(student: Shape, targets: Targets) -> None:
    objective = VicregSettings().build(student, None, torch.arange(4))
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 32, 8))
    expected = sum(objective(views, None, targets).values())

    with torch.autocast("cpu", torch.bfloat16):
        found = sum(objective(views, None, targets).values())

    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
