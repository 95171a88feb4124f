import pytest
import torch
from tests.unit.objectives.distill.outputs import features
from torch import Tensor

from understudy.core.types import Shape
from understudy.objectives.distill.variational import (
    Guess,
    VariationalSettings,
    gaussian_surprise,
)


def test_the_variance_that_fits_best_is_the_mean_square_of_the_errors() -> None:
    guess, truth = (features(24, seed=seed).view(6, 2, 4, 3) for seed in (1, 2))
    fitting = (guess - truth).square().mean(dim=(0, 2, 3)).requires_grad_()

    (slope,) = torch.autograd.grad(gaussian_surprise(guess, truth, fitting), fitting)

    assert slope.tolist() == pytest.approx([0, 0], abs=1e-12)
    least = gaussian_surprise(guess, truth, fitting)
    assert all(gaussian_surprise(guess, truth, fitting * by) > least for by in (0.9, 1.1))


def test_the_guess_is_the_mean_of_what_it_makes_likely() -> None:
    guess, truth = (features(24, seed=seed).view(6, 2, 4, 3) for seed in (1, 2))
    variance = torch.tensor([0.3, 2.0], dtype=torch.float64)

    assert gaussian_surprise(truth, truth, variance) < gaussian_surprise(guess, truth, variance)
    assert gaussian_surprise(truth, truth, variance).item() == pytest.approx(
        variance.log().mean().item() / 2
    )


@pytest.mark.parametrize("variance", [0.5, 5.0, 40.0])
def test_each_pair_begins_with_the_variance_asked_for(
    variance: float, small: Shape, large: Shape, images: Tensor
) -> None:
    objective = VariationalSettings(variance=variance).build(small, large, images)

    for pair, guess in zip(objective.pairs, objective.guesses, strict=True):
        assert isinstance(guess, Guess)
        mean, spread = guess(torch.randn(2, pair.student.channels, 3, 3))
        assert mean.shape == (2, pair.teacher.channels, 3, 3)
        assert spread.tolist() == pytest.approx([variance] * pair.teacher.channels, rel=1e-4)
