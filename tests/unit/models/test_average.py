import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Tap
from understudy.models.average import Average
from understudy.models.network import Network


def disturb(network: Network, images: Tensor) -> None:
    """Moves parameters and statistics, as a training step does."""
    network.train()(images, frozenset({Tap.LOGITS}))
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight))


def test_parameters_follow_slowly_and_statistics_at_once(network: Network, images: Tensor) -> None:
    average = Average(network)
    expected = {name: weight.clone() for name, weight in network.named_parameters()}

    for decay in (0.9, 0.5, 0.99):
        disturb(network, images)
        average.update(decay)
        for name, weight in network.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * weight.detach()

    assert_close(dict(average.network.named_parameters()), expected)
    assert_close(
        dict(average.network.named_buffers()), dict(network.named_buffers()), rtol=0, atol=0
    )


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_the_ends_are_a_copy_and_a_standstill(
    network: Network, images: Tensor, decay: float
) -> None:
    average = Average(network)
    before = {name: weight.clone() for name, weight in network.named_parameters()}

    disturb(network, images)
    average.update(decay)

    expected = before if decay else dict(network.named_parameters())
    assert_close(dict(average.network.named_parameters()), expected)


def test_the_followed_network_is_neither_changed_nor_held(network: Network, images: Tensor) -> None:
    average = Average(network)
    disturb(network, images)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    average.update(0.5)

    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert set(average.state_dict()) == {f"network.{name}" for name in before}
    assert all(weight.requires_grad for weight in network.parameters())


def test_it_answers_without_gradient(network: Network, images: Tensor) -> None:
    average = Average(network)

    outputs = average.eval()(images, frozenset({Tap.LOGITS}))

    assert not outputs.logits.requires_grad
    assert average.shape == network.shape
    assert_close(outputs.logits, network.eval()(images, frozenset({Tap.LOGITS})).logits)


def test_a_decay_of_one_on_the_device_moves_nothing(network: Network) -> None:
    average = Average(network)
    before = {name: value.clone() for name, value in average.state_dict().items()}
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(1.0)

    average.update(torch.tensor(1.0))

    parameters = dict(average.network.named_parameters())
    assert all(torch.equal(before[f"network.{name}"], value) for name, value in parameters.items())
