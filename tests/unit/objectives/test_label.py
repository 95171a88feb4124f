import torch
import torch.nn.functional as F
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.label import LabelSettings


def test_views_are_averaged(student: Shape, targets: Targets) -> None:
    first, second = torch.randn(2, 4, 5)

    found = LabelSettings().build(student, None, torch.arange(4))(
        (Outputs(logits=first), Outputs(logits=second)), None, targets
    )

    losses = [F.cross_entropy(logits, targets.labels) for logits in (first, second)]
    assert_close(found["cross_entropy"], sum(losses) / 2)


def test_smoothing_is_pytorchs(student: Shape, targets: Targets) -> None:
    logits = torch.randn(4, 5)

    found = LabelSettings(smoothing=0.2).build(student, None, torch.arange(4))(
        (Outputs(logits=logits),), None, targets
    )

    expected = F.cross_entropy(logits, targets.labels, label_smoothing=0.2)
    assert_close(found["cross_entropy"], expected)


def test_mixed_images_learn_both_labels_by_their_shares(student: Shape, targets: Targets) -> None:
    logits = torch.randn(4, 5)
    partner, share = torch.tensor([1, 0, 3, 2]), torch.tensor([0.9, 0.7, 0.6, 1.0])

    found = LabelSettings().build(student, None, torch.arange(4))(
        (Outputs(logits=logits),), None, targets._replace(mix=(partner, share))
    )

    own = F.cross_entropy(logits, targets.labels, reduction="none")
    other = F.cross_entropy(logits, targets.labels[partner], reduction="none")
    assert_close(found["cross_entropy"], (share * own + (1 - share) * other).mean())
