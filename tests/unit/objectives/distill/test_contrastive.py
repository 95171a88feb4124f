import math
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from tests.unit.objectives.distill.outputs import features, view
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets, Terms
from understudy.objectives.distill.contrastive import Contrastive, ContrastiveSettings

PACK = 100  # images in the pack, of which ten are shown


@pytest.fixture
def shown() -> Tensor:
    return torch.arange(90, 0, -10)


def built(small: Shape, large: Shape, shown: Tensor, **settings: float) -> Contrastive:
    chosen = ContrastiveSettings.model_validate({"width": 8, **settings})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return chosen.build(small, large, shown)


def targets(*index: int) -> Targets:
    return Targets(labels=torch.full((len(index),), -1), index=torch.tensor(index))


def step(objective: Contrastive, seed: int, *index: int) -> Tensor:
    learner = Outputs(pooled=features(6, seed=seed, images=len(index)).float())
    teacher = Outputs(pooled=features(9, seed=seed + 1, images=len(index)).float())
    terms: Terms = objective((learner,), (teacher,), targets(*index))
    return terms["contrast"]


def test_it_remembers_the_images_that_are_shown_and_no_others(
    small: Shape, large: Shape, shown: Tensor
) -> None:
    objective = built(small, large, shown)

    assert objective.memory.student.shape == objective.memory.teacher.shape == (9, 8)
    assert objective.negatives == 9
    assert built(small, large, shown, negatives=4).negatives == 4


def test_the_first_step_is_the_contrast_with_the_memory_as_it_was(
    small: Shape, large: Shape, shown: Tensor
) -> None:
    """Spelled out with the images' own features, without rows and windows."""
    objective = built(small, large, shown, temperature=0.5)
    memory, index = deepcopy(objective.memory), (50, 10, 90, 20)

    found = step(objective, 1, *index)

    anchors = {
        "teacher": F.normalize(objective.embed_student(features(6, seed=1, images=4).float())),
        "student": F.normalize(objective.embed_teacher(features(9, seed=2, images=4).float())),
    }
    expected = 0.0
    for side, own in anchors.items():
        known = {
            image: getattr(memory, side)[memory.rows(torch.tensor(image))]
            for image in shown.tolist()
        }
        similarities = {
            (i, other): (own[at] @ known[other]).item() / 0.5
            for at, i in enumerate(index)
            for other in known
        }
        scale = sum(map(math.exp, similarities.values())) / len(similarities)
        for i in index:
            odds = {other: math.exp(similarities[i, other]) / scale / 9 for other in known}
            right = [1 / (1 + odds[other]) for other in known if other != i]
            right.append(odds[i] / (1 + odds[i]))
            expected -= sum(map(math.log, right)) / len(index)
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_the_scale_of_the_first_step_is_kept(small: Shape, large: Shape, shown: Tensor) -> None:
    objective = built(small, large, shown)

    step(objective, 1, 50, 10, 90, 20)
    first = objective.scales.clone()
    step(objective, 3, 30, 40, 60, 20)

    assert torch.equal(objective.scales, first)
    assert first.abs().min() > 0


def test_it_is_computed_in_single_precision_whatever_is_around_it(
    small: Shape, large: Shape, shown: Tensor
) -> None:
    """A similarity is divided by 0.07; rounded to bf16 it would be off by several percent."""
    objective = built(small, large, shown)
    expected = step(deepcopy(objective), 1, 50, 10, 90, 20)

    with torch.autocast("cpu", torch.bfloat16):
        found = step(objective, 1, 50, 10, 90, 20)

    assert_close(found, expected)


def test_evaluation_moves_nothing(small: Shape, large: Shape, shown: Tensor) -> None:
    objective = built(small, large, shown).eval()
    before = deepcopy(objective.state_dict())

    step(objective, 1, 50, 10, 90, 20)

    assert_close(objective.state_dict(), before, rtol=0, atol=0)


def test_a_saved_objective_goes_on_as_it_would_have(
    small: Shape, large: Shape, shown: Tensor
) -> None:
    objective = built(small, large, shown, negatives=4)
    step(objective, 1, 50, 10, 90, 20)
    resumed = ContrastiveSettings(width=8, negatives=4).build(small, large, shown)

    resumed.load_state_dict(objective.state_dict())

    for seed, index in [(3, (30, 40, 60, 20)), (5, (10, 20, 30, 40))]:
        assert torch.equal(step(objective, seed, *index), step(resumed, seed, *index))


def test_a_student_that_follows_its_teacher_is_found_among_all(small: Shape, shown: Tensor) -> None:
    """With the teacher's own features as the student's, training finds every image."""
    objective = built(small, small, shown)
    pooled = features(6, seed=1, images=9).float()
    both = ((Outputs(pooled=pooled),), (Outputs(pooled=pooled),))
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
    for _ in range(60):
        loss = objective(*both, targets(*shown.tolist()))["contrast"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    memory = objective.memory
    nearest = (F.normalize(objective.embed_student(pooled)) @ memory.teacher.T).argmax(dim=1)

    assert torch.equal(nearest, memory.rows(shown))


def test_views_of_an_image_are_averaged(small: Shape, large: Shape) -> None:
    index = torch.tensor([30, 10, 40, 20])
    given = Targets(labels=index, index=index)
    objective = built(small, large, index)
    learner, teacher = view(small, seed=1), view(large, seed=2)

    twice = deepcopy(objective)((learner, learner), (teacher, teacher), given)

    assert_close(twice, deepcopy(objective)((learner,), (teacher,), given))
