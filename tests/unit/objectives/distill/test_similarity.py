import pytest
import torch
from tests.unit.objectives.distill.outputs import features, rotation, view
from torch.testing import assert_close

from understudy.core.types import Shape, Targets
from understudy.objectives.distill.similarity import SimilaritySettings, similarity_distance


def test_turned_and_scaled_features_cost_nothing() -> None:
    teacher = features(5, seed=1)
    wider = torch.cat([teacher, torch.zeros(6, 2, dtype=torch.float64)], dim=1)

    found = similarity_distance(0.1 * wider @ rotation(7), teacher)

    assert found.item() == pytest.approx(0, abs=1e-15)
    assert similarity_distance(features(5, seed=2), teacher) > 0.1


def test_it_does_not_shrink_as_the_batch_grows() -> None:
    """Each image's row has length 1, so a batch of twice as many costs about as much."""
    few, many = (
        similarity_distance(features(5, seed=1, images=n), features(5, seed=2, images=n)).item()
        for n in (64, 512)
    )

    assert many == pytest.approx(few, rel=0.15)


def test_maps_of_any_size_are_compared_as_they_are(
    small: Shape, large: Shape, targets: Targets
) -> None:
    learner, teacher = view(small, seed=1), view(large, seed=2)
    objective = SimilaritySettings().build(small, large, targets.index)

    found = objective((learner,), (teacher,), targets)["distance"]

    assert learner.stages[2].shape[2:] != teacher.stages[3].shape[2:]
    assert_close(
        found, similarity_distance(learner.stages[2].flatten(1), teacher.stages[3].flatten(1))
    )


def test_pooled_features_are_compared_where_asked(
    small: Shape, large: Shape, targets: Targets
) -> None:
    learner, teacher = view(small, seed=1), view(large, seed=2)
    objective = SimilaritySettings(stages="pooled").build(small, large, targets.index)

    found = objective((learner,), (teacher,), targets)["distance"]

    assert {tap.value for tap in objective.taps | objective.guidance_taps} == {"pooled"}
    assert learner.pooled is not None and teacher.pooled is not None
    assert_close(found, similarity_distance(learner.pooled, teacher.pooled))
