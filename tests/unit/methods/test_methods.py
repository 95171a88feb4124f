import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Batch, Outputs, Tap
from understudy.guidance.guide import unguided
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.methods.siamese import Siamese, split_views
from understudy.methods.simclr import SimclrSettings
from understudy.methods.supervised import Supervised
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import combine

BATCH = 6
IMAGES = torch.arange(BATCH)


def network(*, seed: int, projector: bool = False) -> Network:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=8,
        classes=None if projector else ("a", "b", "c"),
        projector=SimclrSettings().projector if projector else None,
    )
    return settings.build(mean=[0.5], std=[0.2], seed=seed)


def batch(views: int, labels: bool = True) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        views=tuple(torch.rand(BATCH, 1, 8, 8, generator=generator) for _ in range(views)),
        labels=torch.arange(BATCH) % 3 if labels else None,
        index=torch.arange(BATCH),
        view_ids=tuple(torch.full((BATCH,), view) for view in range(views)),
    )


def test_a_supervised_step_tells_which_share_of_its_batch_it_answered_right() -> None:
    """Over all views, with the weights from before the step."""
    student = network(seed=4)  # right of one view more often than of the other
    method = Supervised(
        student, combine([LabelSettings()], student=student.shape, guidance=None, images=IMAGES)
    )
    shown = batch(views=2)
    assert shown.labels is not None
    logits = [student(view, frozenset({Tap.LOGITS})).logits for view in shown.views]
    answers = [int(row.argmax()) for each in logits if each is not None for row in each]
    right = sum(map(int.__eq__, answers, [*shown.labels.tolist()] * 2))

    found = method(shown, unguided(shown)).terms["top1"]

    assert 0 < right < 2 * BATCH
    assert float(found) == pytest.approx(right / (2 * BATCH))
    assert not found.requires_grad


def test_a_supervised_step_is_the_cross_entropy_of_its_view() -> None:
    student = network(seed=1)
    method = Supervised(
        student, combine([LabelSettings()], student=student.shape, guidance=None, images=IMAGES)
    )
    shown = batch(views=1)

    output = method(shown, unguided(shown))

    logits = student(shown.views[0], frozenset({Tap.LOGITS})).logits
    assert shown.labels is not None
    assert logits is not None
    assert_close(output.loss, torch.nn.functional.cross_entropy(logits, shown.labels))
    assert output.size == BATCH
    assert not any(term.requires_grad for term in output.terms.values())


def test_a_distilled_student_gets_gradients_and_its_teacher_none() -> None:
    student, teacher = network(seed=1), network(seed=2)
    objective = combine(
        [SoftLabelSettings()], student=student.shape, guidance=teacher.shape, images=IMAGES
    )
    method = Distilled(student, objective)
    guide = Teacher(Frozen(teacher), taps=objective.guidance_taps)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    guide.train()
    optimizer = torch.optim.SGD(method.parameters(), lr=0.1)

    for _ in range(2):
        shown = batch(views=1, labels=False)
        method(shown, guide(shown)).loss.backward()
        optimizer.step()

    assert all(weight.grad is not None for weight in student.parameters())
    assert all(weight.grad is None for weight in teacher.parameters())
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())


def test_a_student_that_equals_its_teacher_has_nothing_to_learn() -> None:
    student, teacher = network(seed=1).eval(), network(seed=1)
    objective = combine(
        [SoftLabelSettings()], student=student.shape, guidance=teacher.shape, images=IMAGES
    )
    shown = batch(views=1, labels=False)

    output = Distilled(student, objective).eval()(
        shown, Teacher(Frozen(teacher), taps=objective.guidance_taps)(shown)
    )

    assert float(output.loss.detach()) == pytest.approx(0, abs=1e-6)


def test_distilling_without_a_guide_is_a_programming_error() -> None:
    student = network(seed=1)
    method = Distilled(
        student,
        combine(
            [SoftLabelSettings()], student=student.shape, guidance=student.shape, images=IMAGES
        ),
    )

    with pytest.raises(AssertionError, match="guide"):
        method(batch(views=1), None)


def test_both_views_share_one_batch_norm_batch() -> None:
    """One fused pass and two passes give different outputs: SimCLR's is the fused one."""
    learner = network(seed=1, projector=True).train()
    shown = batch(views=2)
    taps = frozenset({Tap.PROJECTED})

    fused = split_views(learner(torch.cat(shown.views), taps), 2)
    apart = [learner(view, taps) for view in shown.views]

    whole = SimclrSettings().build(learner, images=IMAGES, seed=0)
    seen: list[Tensor] = []
    whole.objective.register_forward_pre_hook(
        lambda _, given: seen.extend(v.projected for v in given[0])
    )
    whole(shown, None)
    assert_close(seen[0], fused[0].projected)
    assert fused[0].projected is not None
    assert apart[0].projected is not None
    assert not torch.allclose(fused[0].projected, apart[0].projected, atol=1e-3)


def test_simclr_builds_a_siamese_method_that_learns() -> None:
    torch.manual_seed(0)
    learner = network(seed=1, projector=True)
    method = SimclrSettings().build(learner, images=IMAGES, seed=0)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        output = method(batch(views=2), None)
        output.loss.backward()
        optimizer.step()
        losses.append(float(output.loss.detach()))

    assert isinstance(method, Siamese)
    assert losses[-1] < losses[0]


def test_views_are_split_in_their_order() -> None:
    together = Outputs(pooled=torch.arange(6.0).view(6, 1), stages=(torch.arange(6.0),))

    first, second = split_views(together, 2)

    assert first.pooled is not None
    assert first.pooled.flatten().tolist() == [0, 1, 2]
    assert second.stages[0].tolist() == [3, 4, 5]
    assert first.logits is None
