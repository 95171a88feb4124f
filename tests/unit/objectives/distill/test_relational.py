import pytest
import torch
from tests.unit.objectives.distill.outputs import features, rotation, view
from torch.testing import assert_close

from understudy.core.types import Shape, Targets
from understudy.objectives.distill.relational import (
    RelationalSettings,
    relation_losses,
    relations,
)


def test_moved_turned_and_scaled_features_cost_nothing() -> None:
    teacher = features(5, seed=1)
    moved = 0.1 * teacher @ rotation(5) + features(5, seed=2)[0]

    distance, angle = relation_losses(moved, teacher)

    assert distance.item() == pytest.approx(0, abs=1e-15)
    assert angle.item() == pytest.approx(0, abs=1e-15)
    distance, angle = relation_losses(features(5, seed=3), teacher)
    assert distance > 0.01
    assert angle > 0.01


def test_distances_have_mean_one_and_angles_of_a_triangle_add_up() -> None:
    distances, cosines = relations(features(5, seed=1, images=3))

    assert distances.sum().item() == pytest.approx(6)
    corners = [cosines[0, 1, 2], cosines[1, 0, 2], cosines[2, 0, 1]]
    assert torch.stack(corners).arccos().sum().item() == pytest.approx(torch.pi)


def test_an_image_that_comes_twice_stays_finite() -> None:
    student = features(5, seed=1)[[0, 1, 1, 2]].requires_grad_()

    total = torch.stack(relation_losses(student, features(4, seed=2, images=4))).sum()
    (gradient,) = torch.autograd.grad(total, student)

    assert gradient.isfinite().all()
    assert gradient.abs().max() < 10


@pytest.mark.parametrize("images", [1, 2])
def test_too_few_images_for_a_relation_cost_nothing(images: int) -> None:
    student = features(5, seed=1, images=images).requires_grad_()

    distance, angle = relation_losses(student, features(5, seed=2, images=images))
    (gradient,) = torch.autograd.grad(distance + angle, student)

    assert distance.item() == pytest.approx(0, abs=1e-15)  # of two, each distance is the mean
    assert angle.item() == pytest.approx(0, abs=1e-15)
    assert gradient.isfinite().all()


def test_collapsed_features_stay_finite() -> None:
    student = torch.ones(4, 5, requires_grad=True)

    total = torch.stack(relation_losses(student, features(5, seed=2, images=4).float())).sum()
    (gradient,) = torch.autograd.grad(total, student)

    assert total.isfinite()
    assert gradient.isfinite().all()


def test_each_part_has_its_factor(small: Shape, large: Shape, targets: Targets) -> None:
    learner, teacher = view(small, seed=1), view(large, seed=2)
    assert learner.pooled is not None and teacher.pooled is not None
    settings = RelationalSettings(distance=3, angle=7)

    found = settings.build(small, large, targets.index)((learner,), (teacher,), targets)

    distance, angle = relation_losses(learner.pooled, teacher.pooled)
    assert_close(found, {"distance": 3 * distance, "angle": 7 * angle})
