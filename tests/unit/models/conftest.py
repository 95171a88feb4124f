import pytest
import torch

from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network, NetworkSettings

torch.set_num_threads(1)  # the tensors are tiny, and the tests run beside each other


@pytest.fixture
def settings() -> NetworkSettings:
    """A network of 8 layers with both heads, for gray images of three classes."""
    return NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5),
        channels=1,
        size=16,
        classes=("ant", "bee", "cat"),
        projector=ProjectorSettings(hidden=16, out=8),
    )


@pytest.fixture
def network(settings: NetworkSettings) -> Network:
    return settings.build(mean=[0.4], std=[0.2], seed=1)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(2))
