import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.models.split_norm import SplitBatchNorm2d, split_norms


def plain(seed: int = 0) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(3)
    with torch.no_grad():
        for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert value is not None
            value.copy_(torch.rand(3, generator=torch.Generator().manual_seed(seed)) + 0.5)
    return norm


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_every_part_is_normalised_as_if_it_were_a_batch(memory_format: torch.memory_format) -> None:
    norm, split = plain(), SplitBatchNorm2d(plain(), splits=4)
    images = torch.randn(8, 3, 5, 5).to(memory_format=memory_format)

    found = split(images)

    for part in range(4):
        alone = plain()
        assert_close(found[part::4], alone(images[part::4]))
    assert not torch.allclose(found, norm(images), atol=1e-3)


def test_running_statistics_move_by_the_mean_over_the_parts() -> None:
    split, images = SplitBatchNorm2d(plain(), splits=2), torch.randn(8, 3, 5, 5)

    split(images)

    parts = [plain(), plain()]
    for part, norm in enumerate(parts):
        norm(images[part::2])
    for name in ("running_mean", "running_var"):
        mean = sum(getattr(norm, name) for norm in parts) / 2
        assert_close(getattr(split, name), mean)
    assert int(split.num_batches_tracked) == 1


def test_out_of_training_it_is_any_batch_norm_with_the_same_names() -> None:
    norm, split = plain().eval(), SplitBatchNorm2d(plain(), splits=4).eval()
    images = torch.randn(7, 3, 5, 5)  # which 4 does not divide

    assert torch.equal(split(images), norm(images))
    assert_close(split.state_dict(), norm.state_dict(), rtol=0, atol=0)


def test_every_batch_norm_of_a_network_is_replaced() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), plain(), nn.Sequential(nn.ReLU(), plain()))
    before = {name: value.clone() for name, value in network.state_dict().items()}

    split_norms(network, 2)

    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    assert [type(norm) for norm in norms] == [SplitBatchNorm2d] * 2
    assert_close(dict(network.state_dict()), before, rtol=0, atol=0)


def test_what_cannot_be_split_is_named() -> None:
    network = nn.Sequential(plain(), nn.Linear(3, 3), nn.BatchNorm1d(3))

    with pytest.raises(UsageError, match=r"BatchNorm1d, which cannot be split.*`method.splits=1`"):
        split_norms(network, 2)
