"""The objectives beside the losses of timm's training tasks, as docs/objectives.md has it."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from tests.beside import (
    BATCH,
    CLASSES,
    FEATURES,
    LABELS,
    TEMPERATURE,
    Comparison,
    Row,
    beside,
    drawn,
    hold,
    logits,
    wanted_of_logits,
    wanted_of_pooled,
)
from torch import Tensor, nn

from understudy.objectives.distill.hard_label import HardLabelSettings
from understudy.objectives.distill.regression import RegressionSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings

WEIGHTS = {"task_loss_weight": 0.3, "distill_loss_weight": 0.7}


def tasks() -> Any:
    return pytest.importorskip("timm.task", reason="this version of timm has no tasks")


class Answers(nn.Module):
    """Stands where timm wants a network, and answers what it was given to say."""

    num_classes, in_chans, num_features = CLASSES, 3, FEATURES
    pretrained_cfg: ClassVar = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}

    def __init__(self, said: Tensor, *, heads: int = 1) -> None:
        super().__init__()
        self.said, self.heads = said, heads

    def set_distilled_training(self, enable: bool) -> None:
        assert enable

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        assert len(images) == len(self.said)
        return self.said if self.heads == 1 else (self.said,) * self.heads

    def forward_features(self, images: Tensor) -> Tensor:
        assert len(images) == len(self.said)
        return self.said

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        return features if pre_logits else torch.zeros(len(features), CLASSES)


def told(task: Any, key: str = "loss") -> Tensor:
    loss: Tensor = task(torch.zeros(BATCH, 3, 1, 1), LABELS)[key]
    return loss


def label() -> Comparison:
    student, teacher = logits()
    smoothed = {"criterion_kwargs": {"smoothing": 0.1}}
    return Comparison(
        student,
        lambda values: told(tasks().ClassificationTask(Answers(values), **smoothed)),
        wanted_of_logits(LabelSettings(smoothing=0.1), teacher=teacher),
    )


def soft_label() -> Comparison:
    student, teacher = logits()
    terms = LabelSettings(weight=0.3), SoftLabelSettings(weight=0.7, temperature=TEMPERATURE)

    def theirs(values: Tensor) -> Tensor:
        both = Answers(values), Answers(teacher)
        return told(
            tasks().LogitDistillationTask(
                *both, nn.CrossEntropyLoss(), temperature=TEMPERATURE, **WEIGHTS
            )
        )

    return Comparison(student, theirs, wanted_of_logits(*terms, teacher=teacher))


def token(kind: str, term: SoftLabelSettings | HardLabelSettings) -> Comparison:
    student, teacher = logits()

    def theirs(values: Tensor) -> Tensor:
        both = Answers(values, heads=2), Answers(teacher)
        settings = {"distill_type": kind, "temperature": TEMPERATURE, **WEIGHTS}
        return told(tasks().TokenDistillationTask(*both, nn.CrossEntropyLoss(), **settings))

    return Comparison(
        student, theirs, wanted_of_logits(LabelSettings(weight=0.3), term, teacher=teacher)
    )


def regression() -> Comparison:
    student, teacher = drawn(BATCH, FEATURES, seed=3), drawn(BATCH, FEATURES, seed=4)

    def theirs(*features: Tensor) -> Tensor:
        both = [Answers(values) for values in features]
        return told(tasks().FeatureDistillationTask(*both, nn.CrossEntropyLoss()), "kd_loss")

    return Comparison(
        student,
        lambda values: theirs(F.normalize(values, dim=1), F.normalize(teacher, dim=1)),
        wanted_of_pooled(RegressionSettings(head="none"), teacher=teacher),
        otherwise=lambda values: theirs(values, teacher),
    )


COMPARISONS: dict[str, Callable[[], Comparison]] = {
    "`ClassificationTask`": label,
    "`LogitDistillationTask`": soft_label,
    "`TokenDistillationTask`, soft": lambda: token(
        "soft", SoftLabelSettings(weight=0.7, temperature=TEMPERATURE)
    ),
    "`TokenDistillationTask`, hard": lambda: token("hard", HardLabelSettings(weight=0.7)),
    "`FeatureDistillationTask`": regression,
}


@pytest.mark.parametrize("row", beside("timm"), ids=lambda row: row.theirs)
def test_theirs_is_what_the_page_says(row: Row) -> None:
    hold(row, COMPARISONS[row.theirs]())


def test_the_page_has_all_that_is_compared_and_no_more() -> None:
    assert [row.theirs for row in beside("timm")] == list(COMPARISONS)
