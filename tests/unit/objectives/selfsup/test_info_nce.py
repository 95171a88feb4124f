import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.selfsup.info_nce import InfoNce, InfoNceSettings, info_nce


def built(student: Shape, **settings: float) -> InfoNce:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        objective = InfoNceSettings.model_validate(settings)
        return objective.build(student, student, torch.arange(4))


def test_the_keys_of_all_views_enter_after_every_direction_was_asked(
    student: Shape, targets: Targets
) -> None:
    """A key that entered between two directions would be a wrong answer to its own image."""
    objective = built(student, queue=16)
    q1, q2, k1, k2 = torch.randn(4, 4, 4)
    before = objective.queue.features.clone()
    views = (Outputs(projected=q1), Outputs(projected=q2))
    keys = (Outputs(projected=k1), Outputs(projected=k2))

    found = objective(views, keys, targets)["contrast"]

    def one_way(mine: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return info_nce(F.normalize(mine, dim=1), F.normalize(other, dim=1), before, 0.1)

    assert_close(found, (one_way(q1, k2) + one_way(q2, k1)) / 2)
    assert_close(objective.queue.features[:8], F.normalize(torch.cat([k1, k2]), dim=1))
    assert torch.equal(objective.queue.features[8:], before[8:])


def test_nothing_enters_while_it_is_not_trained(student: Shape, targets: Targets) -> None:
    objective = built(student, queue=16).eval()
    before = objective.queue.features.clone()
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 4, 4))

    objective(views, views, targets)

    assert torch.equal(objective.queue.features, before)


def test_the_gradient_is_that_of_the_queue_before_the_step(
    student: Shape, targets: Targets
) -> None:
    """The backward pass runs after the queue has moved."""
    objective = built(student, queue=8)  # all of it is replaced
    others, (q1, q2), keys = objective.queue.features.clone(), torch.randn(2, 4, 4), None
    keys = tuple(Outputs(projected=each) for each in torch.randn(2, 4, 4))
    q1.requires_grad_()

    loss = objective((Outputs(projected=q1), Outputs(projected=q2)), keys, targets)["contrast"]
    (found,) = torch.autograd.grad(loss, q1)

    key = keys[1].projected
    assert key is not None
    alone = info_nce(F.normalize(q1, dim=1), F.normalize(key, dim=1), others, 0.1) / 2
    assert_close(found, torch.autograd.grad(alone, q1)[0])


def test_a_batch_that_the_queue_cannot_hold_is_refused(student: Shape, targets: Targets) -> None:
    objective = built(student, queue=6)
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 4, 4))

    with pytest.raises(UsageError, match=r"holds 6 features, but one step brings 8"):
        objective(views, views, targets)


def test_autocast_does_not_reach_the_similarities(student: Shape, targets: Targets) -> None:
    objective = built(student, queue=64, temperature=0.02).eval()
    views = tuple(Outputs(projected=each) for each in torch.randn(2, 4, 4))
    expected = objective(views, views, targets)["contrast"]

    with torch.autocast("cpu", torch.bfloat16):
        found = objective(views, views, targets)["contrast"]

    assert_close(found, expected, rtol=1e-6, atol=1e-6)
