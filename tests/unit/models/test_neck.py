import pytest
import torch

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Stage, Tap
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.neck import NeckSettings
from understudy.models.network import NetworkSettings

NECK = NeckSettings(out=24, width=5, side=4, rectified=True)
PLAIN = NetworkSettings(
    backbone=CifarResNetSettings(depth=8, width=0.25), channels=3, size=32, classes=("a", "b")
)
EVERYTHING = frozenset({Tap.LOGITS, Tap.POOLED, Tap.STAGES})


def test_a_network_with_a_neck_declares_what_it_gives() -> None:
    network = (
        PLAIN.model_copy(update={"neck": NECK}).build(mean=[0.5] * 3, std=[0.2] * 3, seed=1).eval()
    )

    outputs = network(torch.rand(2, 3, 32, 32), EVERYTHING)

    assert outputs.pooled is not None
    assert outputs.pooled.shape == (2, network.shape.pooled) == (2, 24)
    assert [stage.shape[1] for stage in outputs.stages] == [
        stage.channels for stage in network.shape.stages
    ]
    last, declared = outputs.stages[-1], network.shape.stages[-1]
    assert last.shape[2:] == (4, 4) == (32 // declared.reduction,) * 2
    assert network.shape.averaged
    assert bool((last >= 0).all())
    assert torch.equal(outputs.pooled, last.mean(dim=(2, 3)))


def test_it_changes_nothing_of_the_backbone_that_the_same_seed_draws() -> None:
    def weights(settings: NetworkSettings) -> dict[str, torch.Tensor]:
        return settings.build(mean=[0.5] * 3, std=[0.2] * 3, seed=1).backbone.state_dict()

    alone, behind = weights(PLAIN), weights(PLAIN.model_copy(update={"neck": NECK}))

    assert all(torch.equal(alone[name], behind[name]) for name in alone)


def test_features_may_be_negative_where_it_is_not_rectified() -> None:
    backbone = Shape(pooled=6, stages=(Stage("stage1", 6, 1),))
    neck = NECK.model_copy(update={"rectified": False}).build(backbone, size=4)

    led = neck((torch.rand(3, 6, 4, 4),), frozenset({Tap.POOLED}))

    assert led.pooled is not None
    assert led.stages == ()
    assert bool((led.pooled < 0).any())


def test_a_backbone_without_stages_is_refused() -> None:
    with pytest.raises(UsageError, match="gives no stages"):
        NECK.build(Shape(pooled=6, stages=()), size=4)
