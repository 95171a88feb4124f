"""What a teacher answers to views that are not as it knows them."""

import torch
from torch.testing import assert_close

from understudy.core.types import Batch, Tap
from understudy.guidance.teacher import Teacher
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.ensemble import at_size
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings

LOGITS = frozenset({Tap.LOGITS})


def network() -> Network:
    backbone = CifarResNetSettings(depth=8, width=0.25)
    classes = ("ant", "bee", "cat", "dog")
    settings = NetworkSettings(backbone=backbone, channels=3, size=16, classes=classes)
    return settings.build(mean=[0.4] * 3, std=[0.2] * 3, seed=1).eval()


def batch(size: int) -> Batch:
    index = torch.arange(5)
    pixels = torch.rand(2, 5, 3, size, size, generator=torch.Generator().manual_seed(0))
    return Batch(views=tuple(pixels), labels=None, index=index, view_ids=(index, index))


def test_it_sees_views_at_the_size_that_it_was_made_for() -> None:
    views, knows = batch(32), network()

    answers = Teacher(Frozen(knows), taps=LOGITS, size=16)(views)

    for view, answer in zip(views.views, answers, strict=True):
        assert_close(answer.logits, knows(at_size(view, 16), LOGITS).logits.detach())


def test_a_view_of_its_own_size_is_not_touched() -> None:
    views, knows = batch(16), network()

    (first, _) = Teacher(Frozen(knows), taps=LOGITS, size=16)(views)

    assert torch.equal(first.logits, knows(views.views[0], LOGITS).logits)
    assert at_size(views.views[0], 16) is views.views[0]


def test_it_speaks_of_the_students_classes_alone_and_in_their_order() -> None:
    views, knows = batch(16), network()

    (first, _) = Teacher(Frozen(knows), taps=LOGITS, size=16, classes=[3, 0])(views)

    assert torch.equal(first.logits, knows(views.views[0], LOGITS).logits[:, [3, 0]])
