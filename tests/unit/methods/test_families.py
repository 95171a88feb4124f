"""Every objective that learns from a teacher, between networks that share nothing but images."""

import pytest
import torch

from understudy.core.types import Batch, Tap
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings
from understudy.models.timm_backbone import TimmSettings
from understudy.objectives import every_objective
from understudy.objectives.objective import combine

BATCH, SIZE = 4, 32
CIFAR = CifarResNetSettings(depth=8, width=0.5)
CONVNEXT = TimmSettings(name="convnext_atto", options={"patch_size": 1})
TRANSFORMER = TimmSettings(
    name="vit_tiny_patch16_224",
    options={"img_size": SIZE, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2},
)


def network(backbone: AnyBackbone, *, mean: float) -> Network:
    settings = NetworkSettings(
        backbone=backbone, channels=3, size=SIZE, classes=("a", "b", "c"), projector=None
    )
    return settings.build(mean=[mean] * 3, std=[0.25] * 3, seed=0)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [(CIFAR, CONVNEXT), (CIFAR, TRANSFORMER), (CONVNEXT, CIFAR), (TRANSFORMER, CIFAR)],
    ids=["cifar-convnext", "cifar-transformer", "convnext-cifar", "transformer-cifar"],
)
def test_a_step_of_all_objectives_together(student: AnyBackbone, teacher: AnyBackbone) -> None:
    learner, master = network(student, mean=0.5), network(teacher, mean=0.2)
    taught = [
        kind.model_validate({})
        for kind in every_objective()
        if ".selfsup." not in kind.__module__  # they need a projector and two views
    ]
    index = torch.arange(BATCH)
    pool = torch.arange(4096)  # as many as the default queue is long
    objective = combine(taught, student=learner.shape, guidance=master.shape, images=pool)
    guide = Teacher(Frozen(master), taps=objective.guidance_taps)
    images = torch.rand(BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    shown = Batch(views=(images,), labels=index % 3, index=index, view_ids=(index * 0,))

    output = Distilled(learner, objective)(shown, guide(shown))
    output.loss.backward()

    assert Tap.STAGES in objective.guidance_taps
    assert output.loss.isfinite()
    assert all(each.isfinite() for each in output.terms.values())
    assert all(
        each.grad is not None and each.grad.isfinite().all() for each in objective.parameters()
    )
    assert all(each.grad is not None for each in learner.classifier.parameters())
    assert all(each.grad is None for each in master.parameters())
