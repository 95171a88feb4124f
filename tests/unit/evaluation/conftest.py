"""A small network under the contract of `models.Network`, and one export of it for all tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from understudy.core.types import Outputs, Tap
from understudy.evaluation.onnx_file import write_onnx

CLASSES = ("ant", "bee", "cat")
PLAIN: dict[str, Any] = {"temperature": 1.0, "preparation": None}


class Toy(nn.Module):
    """Normalisation, two convolutions with batch norm, pooling, and perhaps a classifier."""

    mean: Tensor
    std: Tensor

    def __init__(self, *, channels: int, num_classes: int | None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((channels, 1, 1), 0.4))
        self.register_buffer("std", torch.full((channels, 1, 1), 0.2))
        self.body = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 12, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.classifier = None if num_classes is None else nn.Linear(12, num_classes)

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        pooled = self.body((images - self.mean) / self.std)
        wants_logits = Tap.LOGITS in taps and self.classifier is not None
        return Outputs(
            logits=self.classifier(pooled) if wants_logits and self.classifier else None,
            pooled=pooled if Tap.POOLED in taps else None,
        )


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def toy() -> Callable[..., nn.Module]:
    """Builds a toy whose batch norm has seen images, so that training and evaluation differ."""

    def build(*, channels: int, num_classes: int | None = len(CLASSES)) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(channels)
            network = Toy(channels=channels, num_classes=num_classes)
            network(torch.rand(16, channels, 8, 8), frozenset({Tap.POOLED}))
        return network

    return build


@pytest.fixture(scope="session")
def pixels() -> NDArray[np.uint8]:
    """Images [N, C, H, W] with three channels."""
    return np.random.default_rng(0).integers(0, 256, (80, 3, 8, 8), dtype=np.uint8)


@pytest.fixture(scope="session")
def student(toy: Callable[..., nn.Module]) -> nn.Module:
    """The network that is exported; tests must not change it."""
    return toy(channels=3)


@pytest.fixture(scope="session")
def student_file(student: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export, made once."""
    path = tmp_path_factory.mktemp("export") / "student.onnx"
    write_onnx(
        student,
        path=path,
        classes=CLASSES,
        channels=3,
        size=8,
        extra={"run": "distill/student-0"},
        **PLAIN,
    )
    return path
