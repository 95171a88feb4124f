import pytest
import torch
from torch import Tensor

from understudy.core.types import Shape, Stage


@pytest.fixture
def small() -> Shape:
    """A student of three stages."""
    stages = (Stage("s1", 2, 1), Stage("s2", 4, 2), Stage("s3", 6, 4))
    return Shape(pooled=6, stages=stages, num_classes=5)


@pytest.fixture
def large() -> Shape:
    """A teacher of another family: one stage more, and wider."""
    stages = (Stage("t0", 3, 1), Stage("t1", 5, 2), Stage("t2", 7, 4), Stage("t3", 9, 8))
    return Shape(pooled=9, stages=stages, num_classes=5)


@pytest.fixture
def images() -> Tensor:
    """Four images of a larger pack."""
    return torch.tensor([3, 11, 40, 41])
