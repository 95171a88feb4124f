from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.core.types import Tap
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings

LOGITS = frozenset({Tap.LOGITS})


class Pair(nn.Module):
    """A student and its teacher in one module, as careless code would hold them."""

    def __init__(self, student: Network, teacher: Frozen) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher


def test_training_beside_it_changes_no_parameter_and_no_statistic(
    settings: NetworkSettings, network: Network, images: Tensor
) -> None:
    teacher = Frozen(network)
    pair = Pair(settings.build(mean=[0.5], std=[0.5], seed=7), teacher)
    before = deepcopy(teacher.state_dict())
    student_before = deepcopy(pair.student.state_dict())
    optimizer = torch.optim.AdamW(pair.parameters(), lr=0.1, weight_decay=0.1)

    for _ in range(2):
        pair.train()
        answers = teacher(images, LOGITS).logits
        loss = F.mse_loss(pair.student(images, LOGITS).logits, answers)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        pair.eval()
        teacher(images, LOGITS)

    after = teacher.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(
        not torch.equal(student_before[name], value)
        for name, value in pair.student.state_dict().items()
    )


def test_nothing_can_wake_it(network: Network) -> None:
    teacher = Frozen(network)

    teacher.train()
    nn.Sequential(teacher).train()

    assert not any(module.training for module in teacher.modules())
    assert not any(weight.requires_grad for weight in teacher.parameters())


def test_it_answers_in_evaluation_whoever_reached_inside(network: Network, images: Tensor) -> None:
    teacher = Frozen(network)
    before = deepcopy(teacher.state_dict())
    expected = teacher(images, LOGITS).logits

    network.train()
    answers = teacher(images, LOGITS).logits

    assert torch.equal(answers, expected)
    after = teacher.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_answers_carry_no_gradient_even_to_the_images(network: Network, images: Tensor) -> None:
    outputs = Frozen(network)(images.requires_grad_(), frozenset(Tap))

    tensors = [outputs.logits, outputs.pooled, outputs.projected, *outputs.stages]
    assert not any(tensor.requires_grad for tensor in tensors)


def test_it_normalises_for_itself(settings: NetworkSettings, images: Tensor) -> None:
    """Two teachers of equal weights and other statistics see the same images differently."""
    first = Frozen(settings.build(mean=[0.4], std=[0.2], seed=1))
    second = Frozen(settings.build(mean=[0.1], std=[0.9], seed=1))

    assert not torch.equal(first(images, LOGITS).logits, second(images, LOGITS).logits)
    assert first.shape == second.shape
