import pytest
import torch
from torch import nn

from understudy.models.initialise import drawn_from


def test_the_seed_alone_decides() -> None:
    torch.manual_seed(1)
    with drawn_from(5):
        first = nn.Linear(3, 3)
    torch.manual_seed(2)
    with drawn_from(5):
        second = nn.Linear(3, 3)

    assert torch.equal(first.weight, second.weight)


def test_the_global_generator_comes_back_even_after_an_error() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()

    with pytest.raises(ZeroDivisionError), drawn_from(5):
        torch.rand(3)
        _ = 1 / 0

    assert torch.equal(torch.get_rng_state(), before)


def test_modules_are_built_on_the_cpu_whatever_the_default_device() -> None:
    with torch.device("meta"), drawn_from(5):
        layer = nn.Linear(3, 3)

    assert layer.weight.device.type == "cpu"
