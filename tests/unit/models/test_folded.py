import torch
from torch import Tensor, nn
from torch.testing import assert_close

from understudy.core.types import Outputs, Tap
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.folded import fold
from understudy.models.frozen import Frozen
from understudy.models.network import Network, NetworkSettings
from understudy.models.resnet_by_depth import ResNetByDepthSettings
from understudy.models.timm_backbone import TimmSettings

ALL = frozenset({Tap.LOGITS, Tap.POOLED, Tap.STAGES})


def experienced(backbone: CifarResNetSettings | ResNetByDepthSettings) -> Network:
    """A network whose batch norms have seen something: no statistic, factor or offset is plain."""
    network = NetworkSettings(
        backbone=backbone, channels=3, size=16, classes=("a", "b", "c"), projector=None
    ).build(mean=[0.5] * 3, std=[0.2] * 3, seed=0)
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name, tensor in module.state_dict().items():
                if name in ("weight", "running_var"):
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
                elif tensor.is_floating_point():
                    tensor.copy_(torch.randn(tensor.shape, generator=generator))
    return network.eval()


def tensors(outputs: Outputs) -> list[Tensor]:
    assert outputs.logits is not None
    assert outputs.pooled is not None
    return [outputs.logits, outputs.pooled, *outputs.stages]


def test_every_answer_and_every_feature_stays_the_same() -> None:
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for backbone in (
        CifarResNetSettings(depth=14),
        ResNetByDepthSettings(depth=4, width=0.25),
        ResNetByDepthSettings(depth=10, width=0.25),
    ):
        network = experienced(backbone).double()
        before = tensors(network(images.double(), ALL))

        fold(network)

        assert_close(tensors(network(images.double(), ALL)), before, rtol=1e-9, atol=1e-9)


def test_no_batch_norm_of_our_backbones_is_left() -> None:
    network = experienced(CifarResNetSettings(depth=8))
    others = {
        name
        for name, module in network.named_modules()
        if not isinstance(module, nn.BatchNorm2d | nn.Conv2d)
    }

    fold(network)

    left = dict(network.named_modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in left.values())
    assert others <= left.keys()


def test_a_batch_norm_that_no_convolution_leads_to_stays() -> None:
    sequence = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)).eval()

    fold(sequence)

    assert isinstance(sequence[2], nn.BatchNorm2d)


def test_a_teacher_that_keeps_batch_norms_moves_none_of_them_whoever_wakes_it() -> None:
    """Those of timm are not pairs in a sequence, and so are there to be moved."""
    network = NetworkSettings(
        backbone=TimmSettings(name="test_resnet"),
        channels=3,
        size=32,
        classes=("a", "b"),
        projector=None,
    ).build(mean=[0.5] * 3, std=[0.2] * 3, seed=0)
    frozen = Frozen(network)
    before = {name: tensor.clone() for name, tensor in frozen.state_dict().items()}

    frozen.network.backbone.train()  # type: ignore[union-attr]
    frozen(torch.rand(4, 3, 32, 32), ALL)

    after = frozen.state_dict()
    assert any("running_mean" in name for name in after)
    assert all(torch.equal(before[name], after[name]) for name in after)
