import pytest
import torch
from torch import nn

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.selfsup.prediction import Prediction, PredictionSettings


def test_nothing_is_sent_back_into_the_target(student: Shape, targets: Targets) -> None:
    objective = PredictionSettings().build(student, student, torch.arange(4))
    mine, other = torch.randn(2, 2, 4, 4, requires_grad=True)

    loss = objective(
        tuple(Outputs(projected=each) for each in mine),
        tuple(Outputs(projected=each) for each in other),
        targets,
    )["negative_cosine"]

    mine_moves, other_moves = torch.autograd.grad(loss, [mine, other], allow_unused=True)
    assert mine_moves is not None and other_moves is None


@pytest.mark.parametrize("kind", ["all alike", "all agree"])
def test_agreement_costs_minus_one_whether_or_not_all_images_look_alike(
    kind: str, targets: Targets
) -> None:
    """So the loss cannot tell a collapse: what watches the spread of the features does."""
    features = torch.ones(4, 6) if kind == "all alike" else torch.randn(4, 6)
    views = (Outputs(projected=features), Outputs(projected=5 * features))

    found = Prediction(predictor=nn.Identity())(views, views, targets)

    assert found["negative_cosine"].item() == pytest.approx(-1, abs=1e-6)


def test_the_predictor_sees_each_view_by_itself(student: Shape, targets: Targets) -> None:
    objective = PredictionSettings().build(student, student, torch.arange(4))
    seen: list[int] = []
    objective.predictor.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 4, 4))

    objective(views, views, targets)

    assert seen == [4, 4]


def test_the_predictor_has_batch_norm_within_and_nothing_behind(student: Shape) -> None:
    predictor = PredictionSettings(hidden=16).build(student, student, torch.arange(4)).predictor

    assert [type(layer) for layer in predictor.children()] == [
        nn.Linear,
        nn.BatchNorm1d,
        nn.ReLU,
        nn.Linear,
    ]
    assert predictor(torch.rand(4, 4)).shape == (4, 4)


def test_a_student_without_a_projector_is_refused(student: Shape) -> None:
    with pytest.raises(UsageError, match="projector: set `projector`"):
        PredictionSettings().build(student._replace(projected=None), student, torch.arange(4))
