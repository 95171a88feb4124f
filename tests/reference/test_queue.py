"""SEED and CompRess, spelled out one image at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.core.types import Outputs, Targets
from understudy.objectives.distill.queue import QueueSimilarity, similarity_divergence
from understudy.objectives.queue import Queue

Rows = list[list[float]]
TARGETS = Targets(labels=torch.full((4,), -1), index=torch.arange(4))


def drawn(*size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, dtype=torch.float64, generator=generator)


def similarities(features: list[float], others: Rows) -> list[float]:
    def cosine(other: list[float]) -> float:
        product = sum(a * b for a, b in zip(features, other, strict=True))
        return product / (math.hypot(*features) * math.hypot(*other))

    return [cosine(other) for other in others]


def softmax(values: list[float], temperature: float) -> list[float]:
    weights = [math.exp((value - max(values)) / temperature) for value in values]
    return [weight / sum(weights) for weight in weights]


def seed_loss(
    student: Rows, teacher: Rows, queue: Rows, temperature: float, softer: float
) -> float:
    """Equation 5 of SEED: cross-entropy over the queue and, added to it, the teacher's own."""
    losses = []
    for mine, theirs in zip(student, teacher, strict=True):
        added = [theirs, *queue]
        wanted = softmax(similarities(theirs, added), softer)
        found = softmax(similarities(mine, added), temperature)
        losses.append(-sum(p * math.log(q) for p, q in zip(wanted, found, strict=True)))
    return sum(losses) / len(losses)


def entropy_of_seed(teacher: Rows, queue: Rows, softer: float) -> float:
    shares = [softmax(similarities(theirs, [theirs, *queue]), softer) for theirs in teacher]
    return sum(-sum(p * math.log(p) for p in one if p) for one in shares) / len(shares)


def compress_loss(student: Rows, teacher: Rows, own: Rows, theirs: Rows) -> float:
    """CompRess: the KL divergence of similarities to anchors, each network among its own."""
    losses = []
    for mine, other in zip(student, teacher, strict=True):
        wanted = softmax(similarities(other, theirs), 0.04)
        found = softmax(similarities(mine, own), 0.04)
        losses.append(
            sum(p * (math.log(p) - math.log(q)) for p, q in zip(wanted, found, strict=True) if p)
        )
    return sum(losses) / len(losses)


def objective(*, queues: int, itself: bool, student: float, teacher: float) -> QueueSimilarity:
    torch.manual_seed(0)
    built = QueueSimilarity(
        head=nn.Identity(),
        queue=Queue(length=16, width=5),
        own_queue=Queue(length=16, width=3) if queues == 2 else None,
        with_itself=itself,
        temperature=student,
        teacher_temperature=teacher,
    ).double()
    for buffer in (part.features for part in built.modules() if isinstance(part, Queue)):
        buffer.copy_(F.normalize(buffer, dim=1))  # of length 1 in double precision too
    return built


@pytest.mark.parametrize("softer", [0.01, 0.04, 0.2])
def test_seeds_cross_entropy_is_larger_by_the_teachers_entropy(softer: float) -> None:
    seed = objective(queues=1, itself=True, student=0.2, teacher=softer)
    queue = seed.queue.features.tolist()
    student, teacher = drawn(4, 5, seed=1), drawn(4, 5, seed=2)

    found = seed((Outputs(pooled=student),), (Outputs(pooled=teacher),), TARGETS)["divergence"]

    wanted = seed_loss(student.tolist(), teacher.tolist(), queue, 0.2, softer)
    entropy = entropy_of_seed(teacher.tolist(), queue, softer)
    assert found.item() == pytest.approx(wanted - entropy, abs=1e-9)


@pytest.mark.parametrize("queues", [1, 2])
def test_compress_compares_each_network_with_the_queue_before_the_step(queues: int) -> None:
    compress = objective(queues=queues, itself=False, student=0.04, teacher=0.04)
    theirs = compress.queue.features.tolist()
    own = theirs if compress.own_queue is None else compress.own_queue.features.tolist()
    student, teacher = drawn(4, len(own[0]), seed=1), drawn(4, 5, seed=2)

    found = compress((Outputs(pooled=student),), (Outputs(pooled=teacher),), TARGETS)["divergence"]

    wanted = compress_loss(student.tolist(), teacher.tolist(), own, theirs)
    assert found.item() == pytest.approx(wanted, abs=1e-9)


def test_it_is_compresss_own_sum_over_the_batch() -> None:
    """Their `KLD`: softmax of the teacher's, log-softmax of the student's, `batchmean`."""
    student, teacher = drawn(6, 9, seed=1), drawn(6, 9, seed=2)

    found = similarity_divergence(student, teacher, temperature=0.04, teacher_temperature=0.04)

    theirs = F.kl_div(
        F.log_softmax(student / 0.04, dim=1), F.softmax(teacher / 0.04, dim=1), reduction="none"
    )
    assert found.item() == pytest.approx(theirs.sum().item() / 6)


def test_a_student_that_is_the_teacher_costs_nothing_at_one_temperature() -> None:
    compress = objective(queues=1, itself=False, student=0.04, teacher=0.04)
    teacher = (Outputs(pooled=drawn(4, 5, seed=2)),)

    assert compress(teacher, teacher, TARGETS)["divergence"].item() == pytest.approx(0, abs=1e-12)


def test_a_temperature_as_low_as_that_of_seeds_code_stays_finite() -> None:
    seed = objective(queues=1, itself=True, student=0.2, teacher=1e-4)
    student = drawn(4, 5, seed=1).requires_grad_()

    loss = seed((Outputs(pooled=student),), (Outputs(pooled=drawn(4, 5, seed=2)),), TARGETS)
    (gradient,) = torch.autograd.grad(loss["divergence"], student)

    assert loss["divergence"].isfinite() and gradient.isfinite().all()
