import torch
from torch import nn
from torch.testing import assert_close

from understudy.engine.lars import Lars


def one_step(weight: torch.Tensor, gradient: torch.Tensor, **settings: float) -> torch.Tensor:
    parameter = nn.Parameter(weight.clone())
    parameter.grad = gradient.clone()
    defaults = {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.01, "trust": 0.001}
    Lars([parameter], **{**defaults, **settings}).step()
    return parameter.detach()


def test_a_step_is_the_formula_of_the_paper() -> None:
    weight, gradient = torch.randn(3, 4), torch.randn(3, 4)

    found = one_step(weight, gradient)

    decayed = gradient + 0.01 * weight
    ratio = 0.001 * weight.norm() / decayed.norm()
    assert_close(found, weight - 0.5 * ratio * decayed)


def test_the_size_of_the_gradient_does_not_matter() -> None:
    weight, gradient = torch.randn(3, 4), torch.randn(3, 4)

    small = one_step(weight, gradient, weight_decay=0.0)
    large = one_step(weight, 1000 * gradient, weight_decay=0.0)

    assert_close(small, large)


def test_tensors_of_one_dimension_are_neither_adapted_nor_decayed() -> None:
    weight, gradient = torch.randn(5), torch.randn(5)

    assert_close(one_step(weight, gradient), weight - 0.5 * gradient)


def test_weights_of_zero_can_leave_zero() -> None:
    gradient = torch.ones(2, 2)

    assert_close(one_step(torch.zeros(2, 2), gradient), -0.5 * gradient)


def test_momentum_keeps_the_learning_rate_of_its_time() -> None:
    """The rate multiplies what enters the momentum, so a lower rate does not shrink the past."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = Lars([parameter], lr=1.0, momentum=0.5, weight_decay=0.0, trust=0.001)
    for rate in (1.0, 0.0):
        optimizer.param_groups[0]["lr"] = rate
        parameter.grad = torch.ones(1)
        optimizer.step()

    assert_close(parameter.detach(), torch.tensor([-1.5]))
