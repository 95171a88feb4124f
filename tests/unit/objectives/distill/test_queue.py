import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Batch, Outputs, Shape, Targets
from understudy.engine.guard import Guard
from understudy.methods.distilled import Distilled
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings
from understudy.objectives.distill.queue import (
    QueueSettings,
    QueueSimilarity,
    similarity_divergence,
)
from understudy.objectives.objective import Portion, combine

IMAGES = torch.arange(32)


def built(student: Shape, teacher: Shape, **settings: object) -> QueueSimilarity:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return QueueSettings.model_validate({"queue": 16, **settings}).build(
            student, teacher, IMAGES
        )


def pooled(*values: Tensor) -> tuple[Outputs, ...]:
    return tuple(Outputs(pooled=each) for each in values)


def test_the_teachers_features_of_all_views_enter_after_every_view_was_compared(
    student: Shape, targets: Targets
) -> None:
    objective = built(student, student, head="none", itself=False)
    mine, theirs = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    before = objective.queue.features.clone()

    found = objective(pooled(*mine), pooled(*theirs), targets)["divergence"]

    def alone(view: int) -> Tensor:
        own, other = (F.normalize(each[view], dim=1) @ before.T for each in (mine, theirs))
        return similarity_divergence(own, other, temperature=0.2, teacher_temperature=0.01)

    assert_close(found, (alone(0) + alone(1)) / 2)
    assert_close(objective.queue.features[:8], F.normalize(theirs.flatten(0, 1), dim=1))
    assert torch.equal(objective.queue.features[8:], before[8:])


def test_the_gradient_is_that_of_the_queue_before_the_step(
    student: Shape, targets: Targets
) -> None:
    """The backward pass runs after the queue has moved."""
    objective = built(student, student, head="none", queue=4)  # all of it is replaced
    before, mine, theirs = objective.queue.features.clone(), *torch.randn(2, 4, 6)
    mine.requires_grad_()

    loss = objective(pooled(mine), pooled(theirs), targets)["divergence"]
    (found,) = torch.autograd.grad(loss, mine)

    teacher, learned = F.normalize(theirs, dim=1), F.normalize(mine, dim=1)
    own, other = (
        torch.cat([(each * teacher).sum(dim=1, keepdim=True), each @ before.T], dim=1)
        for each in (learned, teacher)
    )
    alone = similarity_divergence(own, other, temperature=0.2, teacher_temperature=0.01)
    assert_close(found, torch.autograd.grad(alone, mine)[0])


def test_with_two_queues_the_students_own_features_enter_its_own(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    objective = built(student, teacher, head="none", queues=2, itself=False)
    mine, theirs = torch.randn(4, 6), torch.randn(4, 9)
    assert objective.own_queue is not None

    objective(pooled(mine), pooled(theirs), targets)

    assert_close(objective.own_queue.features[:4], F.normalize(mine, dim=1))
    assert_close(objective.queue.features[:4], F.normalize(theirs, dim=1))


def test_it_learns_the_teachers_projections_where_asked(student: Shape, targets: Targets) -> None:
    objective = built(student, student, features="projected")

    objective(pooled(torch.randn(4, 6)), (Outputs(projected=torch.randn(4, 4)),), targets)

    assert objective.queue.features.shape == (16, 4)
    assert {tap.value for tap in objective.guidance_taps} == {"projected"}


def test_the_heads_are_those_of_the_papers(student: Shape, teacher: Shape) -> None:
    def widths(head: str) -> list[int]:
        layers = built(student, teacher, head=head).head.modules()
        return [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]

    assert widths("mlp") == [6, 9]  # SEED: D, D'
    assert widths("linear") == [9]  # CompRess with one queue


def test_nothing_enters_while_it_is_not_trained(student: Shape, targets: Targets) -> None:
    objective = built(student, student, queues=2, itself=False).eval()
    before = {name: value.clone() for name, value in objective.state_dict().items()}

    objective(pooled(torch.randn(4, 6)), pooled(torch.randn(4, 6)), targets)

    assert_close(objective.state_dict(), before, rtol=0, atol=0)


def test_what_does_not_fit_is_refused_by_name(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    long = built(student, teacher, queue=33).objection(Portion(batch=8, views=2, images=32))
    assert long is not None and "`queue` holds 33 features, but there are 32 images" in long
    with pytest.raises(UsageError, match=r"`head: none`.*6 pooled .*teacher 9.*`queues: 2`"):
        built(student, teacher, head="none")
    with pytest.raises(UsageError, match=r"teacher with a projector"):
        built(student, teacher._replace(projected=None), features="projected")
    with pytest.raises(UsageError, match=r"itself: .*no queue of the student's"):
        checked(QueueSettings, {"queues": 2}, origin="here")
    short = built(student, teacher, queue=6)
    with pytest.raises(UsageError, match=r"holds 6 features, but one step brings 8.*batch_size"):
        short(pooled(*torch.randn(2, 4, 6)), pooled(*torch.randn(2, 4, 9)), targets)


@pytest.mark.parametrize("queues", [1, 2])
def test_a_step_that_is_not_finite_changes_no_queue(queues: int) -> None:
    small = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.25), channels=3, size=8, classes=None
    )
    network = small.build(mean=(0.5,) * 3, std=(0.5,) * 3, seed=1)
    asked = QueueSettings(queue=32, queues=queues, itself=queues == 1, head="linear")
    objective = combine([asked], student=network.shape, guidance=network.shape, images=IMAGES)
    method = Distilled(network, objective).train()
    optimizer = torch.optim.SGD(method.parameters(), lr=0.1, fused=True)
    guard = Guard(method, optimizer, max_norm=None)
    images = torch.rand(4, 3, 8, 8)
    states = []

    for pixels in (images, images / 0):
        guard.remember()
        ids = torch.arange(4)
        batch = Batch(views=(pixels,), labels=None, index=ids, view_ids=(ids,))
        told = Outputs(pooled=torch.randn(4, network.shape.pooled))
        output = method(batch, (told,))
        output.loss.backward()
        guard.step(output.loss)
        optimizer.zero_grad()
        states.append({name: value.clone() for name, value in method.state_dict().items()})

    assert int(states[0]["objective.objectives.0.queue.position"]) == 4
    assert_close(states[1], states[0], rtol=0, atol=0)
