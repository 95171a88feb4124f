"""FixMatch against the paper's formula written out."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Batch, Outputs
from understudy.methods.fixmatch import FixMatch, sure_cross_entropy
from understudy.methods.threshold import FixedThreshold
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import Portion, combine
from understudy.objectives.selfsup.vicreg import VicregSettings

LABELLED, OTHERS, CLASSES = 4, 12, 3


def network() -> Network:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.25),
        channels=1,
        size=8,
        classes=("a", "b", "c"),
    )
    return settings.build(mean=[0.5], std=[0.2], seed=1)


def method(learner: Network, *, threshold: float = 0.4, weight: float = 2.0) -> FixMatch:
    objective = combine(
        [LabelSettings()], student=learner.shape, guidance=None, images=torch.arange(LABELLED)
    )
    return FixMatch(
        learner,
        objective,
        labelled=LABELLED,
        threshold=FixedThreshold(threshold),
        weight=weight,
    )


def batch() -> Batch:
    generator = torch.Generator().manual_seed(2)
    size = LABELLED + OTHERS
    weak, strong = (torch.rand(size, 1, 8, 8, generator=generator) for _ in range(2))
    labels = torch.cat([torch.tensor([0, 1, 2, 1]), torch.full((OTHERS,), -1)])
    ids = torch.zeros(size, dtype=torch.int64)
    return Batch((weak, strong), labels, torch.arange(size), (ids, ids))


def logits_of(learner: Network, shown: Batch) -> tuple[Tensor, Tensor]:
    """Weak views of all and strong views of those without label, through one batch norm."""
    outputs: Outputs = learner(
        torch.cat([shown.views[0], shown.views[1][LABELLED:]]), method(learner).objective.taps
    )
    assert outputs.logits is not None
    return outputs.logits[: LABELLED + OTHERS], outputs.logits[LABELLED + OTHERS :]


@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0])
def test_the_loss_is_the_papers(threshold: float) -> None:
    learner, shown = network().train(), batch()
    assert shown.labels is not None
    with torch.no_grad():
        weak, strong = logits_of(learner, shown)

    found = method(learner, threshold=threshold)(shown, None)

    known = F.cross_entropy(weak[:LABELLED], shown.labels[:LABELLED])
    total = 0.0
    for answer, logits in zip(weak[LABELLED:], strong, strict=True):
        probabilities = answer.softmax(dim=0)
        if float(probabilities.max()) >= threshold:
            total += float(-logits.log_softmax(dim=0)[int(probabilities.argmax())])
    assert_close(float(found.loss.detach()), float(known) + 2.0 * total / OTHERS)
    assert set(found.terms) == {"label", "pseudo_label", "sure"}


def test_no_gradient_reaches_the_answers_and_none_comes_of_those_that_are_not_sure() -> None:
    answers = torch.tensor([[9.0, 0.0], [0.1, 0.0]], requires_grad=True)
    logits = torch.zeros(2, 2, requires_grad=True)

    loss, share = sure_cross_entropy(logits, answers, threshold=FixedThreshold(0.95))
    loss.backward()  # type: ignore[no-untyped-call]

    assert float(share) == 0.5
    assert answers.grad is None
    assert logits.grad is not None
    assert logits.grad[0].abs().sum() > 0 and logits.grad[1].abs().sum() == 0


def test_strong_views_of_labelled_images_are_not_looked_at() -> None:
    learner, shown = network().train(), batch()
    changed = shown.views[1].clone()
    changed[:LABELLED] = 0.9

    one, other = (
        method(learner)(shown._replace(views=(shown.views[0], strong)), None).loss
        for strong in (shown.views[1], changed)
    )

    assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("views", [1, 3])
def test_other_numbers_of_views_than_two_are_objected_to(views: int) -> None:
    fit = method(network())

    assert fit.objections(Portion(batch=4, views=2, images=16)) == []
    (objection,) = fit.objections(Portion(batch=4, views=views, images=16))
    assert "List 2, the weak one first" in objection


def test_terms_that_read_more_than_logits_are_objected_to() -> None:
    learner = network()
    shape = learner.shape._replace(projected=8)
    terms = [LabelSettings(), VicregSettings()]
    objective = combine(terms, student=shape, guidance=None, images=torch.arange(LABELLED))
    fit = FixMatch(learner, objective, labelled=LABELLED, threshold=FixedThreshold(0.4), weight=1.0)

    assert "reads more than logits" in str(fit.objections(Portion(batch=4, views=2, images=16)))
