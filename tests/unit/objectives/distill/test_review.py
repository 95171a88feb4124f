import pytest
import torch
from tests.unit.objectives.distill.outputs import features, view
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.review import Level, ReviewSettings, pyramid_distance


def test_a_difference_that_is_equal_everywhere_is_seen_at_every_resolution() -> None:
    maps = features(2 * 64, seed=1).view(-1, 2, 8, 8)
    offset = features(2, seed=2)[:, :, None, None]

    assert_close(pyramid_distance(maps + offset, maps), offset.square().mean())
    assert pyramid_distance(maps, maps).item() == 0


def test_a_difference_that_cancels_out_nearby_is_seen_at_the_finest_alone() -> None:
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4)[None, None]

    found = pyramid_distance(board, torch.zeros_like(board))

    assert found.item() == pytest.approx(1 / (1 + 1 / 2 + 1 / 4 + 1 / 8))


def test_widths_come_from_the_shapes(small: Shape, large: Shape, images: Tensor) -> None:
    objective = ReviewSettings(most_width=5).build(small, large, images)

    widths = []
    for level in objective.levels:
        assert isinstance(level, Level)
        weights = dict(level.named_parameters())
        narrow, guess = weights["narrow.0.weight"], weights["guess.0.weight"]
        widths.append((narrow.shape[1], narrow.shape[0], guess.shape[0]))
    assert widths == [(6, 5, 9), (6, 5, 9), (4, 5, 7), (2, 5, 5)]  # pooled, then deep first


def test_the_shallowest_stage_is_reviewed_with_all_deeper_ones(
    small: Shape, large: Shape, targets: Targets
) -> None:
    """A change of the teacher's shallowest stage reaches every stage of the student."""
    objective = ReviewSettings().build(small, large, targets.index)
    learner, teacher = view(small, seed=1), view(large, seed=2)
    shallow = teacher._replace(
        stages=(teacher.stages[0], teacher.stages[1].flip(0), *teacher.stages[2:])
    )
    assert learner.pooled is not None
    inputs = [learner.pooled, *learner.stages]

    def reached(taught: Outputs) -> list[Tensor]:
        loss = objective((learner,), (taught,), targets)["distance"]
        return list(torch.autograd.grad(loss, inputs))

    before, after = reached(teacher), reached(shallow)

    assert all(not torch.allclose(a, b) for a, b in zip(before, after, strict=True))


def test_the_deepest_stage_is_not_reviewed_with_a_shallower_one(
    small: Shape, large: Shape, targets: Targets
) -> None:
    objective = ReviewSettings(stages="last").build(small, large, targets.index)
    learner, teacher = view(small, seed=1), view(large, seed=2)

    loss = objective((learner,), (teacher,), targets)["distance"]

    first, second, third = torch.autograd.grad(loss, learner.stages, allow_unused=True)
    assert first is None and second is None
    assert third is not None
