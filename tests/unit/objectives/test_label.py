from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.label import Label, LabelSettings
from understudy.objectives.objective import Classes, Portion


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


COUNTED = Classes(names=("ant", "bee", "cat", "dog", "eel"), counts=(1, 2, 4, 8, 5))


def weighted(student: Shape, class_weights: Any) -> Label:
    settings = LabelSettings(class_weights=class_weights).among(COUNTED)
    return settings.build(student, None, torch.arange(4))


def test_balanced_weights_are_those_of_scikit_learn(student: Shape, targets: Targets) -> None:
    labels = np.repeat(np.arange(5), COUNTED.counts)
    expected = compute_class_weight("balanced", classes=np.arange(5), y=labels)
    logits = torch.randn(4, 5)

    objective = weighted(student, "balanced")

    assert_close(objective.class_weights, torch.tensor(expected, dtype=torch.float32))
    found = objective((Outputs(logits=logits),), None, targets)["cross_entropy"]
    weight = torch.tensor(expected, dtype=torch.float32)
    assert_close(found, F.cross_entropy(logits, targets.labels, weight=weight))


def test_images_without_a_label_count_nothing_whatever_the_weights(student: Shape) -> None:
    logits, labels = torch.randn(4, 5), torch.tensor([3, -1, -1, 0])
    given = {"eel": 5.0, "ant": 0.5, "bee": 2.0, "cat": 3.0, "dog": 4.0}

    found = weighted(student, given)(
        (Outputs(logits=logits),), None, Targets(labels=labels, index=torch.arange(4))
    )

    own = F.cross_entropy(logits[[0, 3]], labels[[0, 3]], reduction="none")
    assert_close(found["cross_entropy"], (4 * own[0] + 0.5 * own[1]) / 4.5)


def test_equal_weights_change_nothing(student: Shape, targets: Targets) -> None:
    logits = (Outputs(logits=torch.randn(4, 5)),)

    even = weighted(student, dict.fromkeys(COUNTED.names, 3.0))(logits, None, targets)

    plain = LabelSettings().build(student, None, torch.arange(4))(logits, None, targets)
    assert_close(even, plain)


@pytest.mark.parametrize(
    ("class_weights", "counts", "sentence"),
    [
        ({"ant": 1.0, "cow": 2.0}, (1, 1), "no number for bee; cow: no such class"),
        ("balanced", (3, 0), "no image of bee has a label"),
    ],
)
def test_weights_that_do_not_fit_the_classes_are_refused(
    class_weights: Any, counts: tuple[int, int], sentence: str
) -> None:
    settings = LabelSettings(class_weights=class_weights)

    with pytest.raises(UsageError, match=sentence):
        settings.among(Classes(names=("ant", "bee"), counts=counts))


def test_weights_that_nobody_settled_are_never_trained_with(student: Shape) -> None:
    """Where a stage forgets to tell the labels, it is refused before the first step."""
    portion = Portion(batch=8, views=1, images=8)
    unsettled = LabelSettings(class_weights="balanced").build(student, None, torch.arange(4))

    assert "follow from the labels" in str(unsettled.objection(portion))
    assert weighted(student, "balanced").objection(portion) is None
