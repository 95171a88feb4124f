import torch
from tests.unit.objectives.distill.outputs import features, view
from torch import Tensor, nn
from torch.testing import assert_close

from understudy.core.types import Shape, Targets
from understudy.objectives.distill.hints import HintsSettings, hint_distance


def test_a_regressor_takes_both_widths_from_the_stages(
    small: Shape, large: Shape, images: Tensor
) -> None:
    objective = HintsSettings().build(small, large, images)

    (regressor,) = objective.regressors
    convolution = next(each for each in regressor.modules() if isinstance(each, nn.Conv2d))
    assert [(pair.student.name, pair.teacher.name) for pair in objective.pairs] == [("s2", "t2")]
    assert (convolution.in_channels, convolution.out_channels) == (4, 7)


def test_a_found_hint_costs_nothing() -> None:
    hint = features(18, seed=1).view(-1, 2, 3, 3)

    assert hint_distance(hint, hint).item() == 0
    assert_close(hint_distance(3 * hint, hint), 4 * hint.square().mean())


def test_a_linear_map_of_the_students_features_can_be_found(
    small: Shape, large: Shape, targets: Targets
) -> None:
    """Weights that give the hint exist, and they are what the gradient leads to."""
    objective = HintsSettings().build(small, large, targets.index)
    learner, teacher = view(small, seed=1), view(large, seed=2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        mixed = nn.Conv2d(4, 7, 1)(learner.stages[1]).detach()
    hint = nn.functional.avg_pool2d(mixed, 2)  # the teacher's map is half as large
    taught = teacher._replace(stages=(*teacher.stages[:2], hint, teacher.stages[3]))
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.1)

    losses = []
    for _ in range(150):
        loss = objective((learner,), (taught,), targets)["distance"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert losses[-1] < 1e-3 * losses[0]


def test_the_repeated_pixels_of_a_larger_teacher_are_the_same_hint(
    small: Shape, large: Shape, targets: Targets
) -> None:
    objective = HintsSettings().build(small, large, targets.index)
    learner, teacher = view(small, seed=1), view(large, seed=2)
    larger = tuple(
        stage.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) for stage in teacher.stages
    )
    sized = learner._replace(stages=tuple(stage[:, :, :2, :2] for stage in learner.stages))

    found = objective((sized,), (teacher._replace(stages=larger),), targets)

    assert_close(found, objective((sized,), (teacher,), targets))
