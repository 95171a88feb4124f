"""SimKD against its authors' projector and loss, written out."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Stage, Tap, Targets
from understudy.methods.classifier_reuse import ReusedFeaturesSettings
from understudy.models.neck import NeckSettings

STUDENT, TEACHER = 6, 8


def projector() -> nn.Sequential:
    """As in the authors' `models/util.py`, with their factor of 2."""
    return nn.Sequential(
        nn.Conv2d(STUDENT, TEACHER // 2, kernel_size=1, bias=False),
        nn.BatchNorm2d(TEACHER // 2),
        nn.ReLU(inplace=True),
        nn.Conv2d(TEACHER // 2, TEACHER // 2, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(TEACHER // 2),
        nn.ReLU(inplace=True),
        nn.Conv2d(TEACHER // 2, TEACHER, kernel_size=1, bias=False),
        nn.BatchNorm2d(TEACHER),
        nn.ReLU(inplace=True),
    )


def simkd(
    transfer: nn.Sequential, feat_s: torch.Tensor, feat_t: torch.Tensor, cls_t: nn.Linear
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss, and the answers of what is deployed."""
    s_h, t_h = feat_s.shape[2], feat_t.shape[2]
    if s_h > t_h:
        source, target = F.adaptive_avg_pool2d(feat_s, (t_h, t_h)), feat_t
    else:
        source, target = feat_s, F.adaptive_avg_pool2d(feat_t, (s_h, s_h))
    made = transfer(source)
    pooled = F.adaptive_avg_pool2d(made, (1, 1)).view(len(made), -1)
    return nn.MSELoss()(made, target), cls_t(pooled)


def check(student_side: int, teacher_side: int) -> None:
    generator = torch.Generator().manual_seed(3)
    mine = torch.rand(5, STUDENT, student_side, student_side, generator=generator)
    theirs = torch.rand(5, TEACHER, teacher_side, teacher_side, generator=generator)
    torch.manual_seed(1)
    oracle, classifier = projector(), nn.Linear(TEACHER, 3)
    backbone = Shape(pooled=STUDENT, stages=(Stage("stage1", STUDENT, 4),))
    neck = NeckSettings(out=TEACHER, width=TEACHER // 2, side=teacher_side, rectified=True).build(
        backbone, size=4 * student_side
    )
    neck.layers.load_state_dict(oracle.state_dict())
    teacher = Shape(
        pooled=TEACHER, stages=(Stage("stage1", TEACHER, 1),), num_classes=3, averaged=True
    )
    objective = ReusedFeaturesSettings().build(teacher, teacher, torch.arange(5))

    led = neck((mine,), frozenset({Tap.STAGES, Tap.POOLED}))
    nobody = Targets(labels=torch.full((5,), -1), index=torch.arange(5))
    terms = objective((led,), (Outputs(stages=(theirs,)),), nobody)
    loss, answers = simkd(oracle, mine, theirs, classifier)

    assert_close(terms["distance"], loss)
    assert_close(classifier(led.pooled), answers)


def test_maps_of_one_size() -> None:
    check(4, 4)


def test_a_larger_map_of_the_student_is_averaged_before_the_convolutions() -> None:
    check(8, 4)


def test_a_larger_map_of_the_teacher_is_averaged() -> None:
    check(3, 6)
