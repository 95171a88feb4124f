import pytest
import torch
from tests.unit.objectives.distill.outputs import features, rotation

from understudy.objectives.distill.probability import neighbourhood, neighbourhood_divergence


def test_turned_features_of_any_length_cost_nothing() -> None:
    teacher = features(5, seed=1)
    lengths = torch.linspace(0.1, 30, 6, dtype=torch.float64)[:, None]

    found = neighbourhood_divergence(lengths * teacher @ rotation(5), teacher)

    assert found.item() == pytest.approx(0, abs=1e-15)


def test_it_is_a_divergence_of_probabilities() -> None:
    student, teacher = features(5, seed=2), features(8, seed=1)
    probabilities = neighbourhood(student)

    assert torch.equal(probabilities.diagonal(), torch.zeros(6, dtype=torch.float64))
    assert probabilities.sum(dim=1).tolist() == pytest.approx([1] * 6)
    assert neighbourhood_divergence(student, teacher) > 0.01


def test_images_that_look_opposite_ways_stay_finite() -> None:
    student = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], requires_grad=True)

    loss = neighbourhood_divergence(student, features(5, seed=1, images=3).float())
    (gradient,) = torch.autograd.grad(loss, student)

    assert loss.isfinite()
    assert gradient.isfinite().all()


def test_an_image_alone_has_no_neighbour_to_learn() -> None:
    student = features(5, seed=1, images=1).requires_grad_()

    loss = neighbourhood_divergence(student, features(5, seed=2, images=1))
    (gradient,) = torch.autograd.grad(loss, student)

    assert loss.item() == 0
    assert gradient.isfinite().all()
