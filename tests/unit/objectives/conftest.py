import pytest
import torch

from understudy.core.types import Shape, Stage, Targets

torch.set_num_threads(1)  # the tensors are tiny, and the tests run beside each other


@pytest.fixture
def student() -> Shape:
    """Has everything that an objective may ask for."""
    return Shape(pooled=6, stages=(Stage("only", 6, 4),), num_classes=5, projected=4)


@pytest.fixture
def teacher() -> Shape:
    """As the student, but wider."""
    return Shape(pooled=9, stages=(Stage("only", 9, 4),), num_classes=5, projected=4)


@pytest.fixture
def targets() -> Targets:
    return Targets(labels=torch.tensor([0, 1, 2, 3]), index=torch.arange(4))
