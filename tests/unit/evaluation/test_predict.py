from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Silent
from understudy.core.types import Outputs, Tap
from understudy.evaluation.predict import Predictor, evaluating, features_of, logits_of

Build = Callable[..., nn.Module]


class Counter(Silent):
    def __init__(self) -> None:
        self.count = 0

    def advance(self, count: int = 1, note: str = "") -> None:  # noqa: ARG002
        self.count += count


def batches(images: Tensor, *, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    index = torch.arange(100, 100 + len(images))
    return zip(torch.split(images, size), torch.split(index, size), strict=True)


def modes(network: nn.Module) -> list[bool]:
    return [part.training for part in network.modules()]


def test_a_prediction_is_the_network_in_evaluation_mode(toy: Build) -> None:
    network, images = toy(channels=3), torch.rand(5, 3, 8, 8)

    logits = Predictor(network)(images)

    network.eval()
    expected: Outputs = network(images, frozenset({Tap.LOGITS}))
    assert expected.logits is not None
    torch.testing.assert_close(logits, expected.logits.detach())


def test_predicting_changes_no_mode_no_weight_and_no_statistic(toy: Build) -> None:
    network = toy(channels=3).train()
    next(iter(network.children())).eval()
    before, state = modes(network), {k: v.clone() for k, v in network.state_dict().items()}

    Predictor(network)(torch.rand(5, 3, 8, 8))
    features_of(network, batches(torch.rand(5, 3, 8, 8), size=2))

    assert len(set(before)) == 2
    assert modes(network) == before
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_a_failing_prediction_gives_the_mode_back_too(toy: Build) -> None:
    network = toy(channels=3).train()

    with pytest.raises(RuntimeError):
        Predictor(network)(torch.rand(5, 2, 8, 8))

    assert all(modes(network))


def test_nothing_is_kept_for_gradients(toy: Build) -> None:
    logits = Predictor(toy(channels=3))(torch.rand(2, 3, 8, 8))

    assert not logits.requires_grad
    assert torch.is_grad_enabled()


def test_half_precision_answers_come_as_float32(toy: Build) -> None:
    network = toy(channels=3).bfloat16()

    logits = Predictor(network)(torch.rand(2, 3, 8, 8).bfloat16())

    assert logits.dtype == torch.float32


def test_images_go_to_the_device_that_was_named(toy: Build) -> None:
    network = toy(channels=3).to("meta")

    named = Predictor(network, device=torch.device("meta"))(torch.rand(2, 3, 8, 8))
    found = Predictor(network)(torch.rand(2, 3, 8, 8))

    assert named.device == found.device == torch.device("meta")


def test_a_network_without_classifier_is_refused(toy: Build) -> None:
    network = toy(channels=3, num_classes=None)

    with pytest.raises(UsageError, match="no classifier"):
        Predictor(network)(torch.rand(2, 3, 8, 8))


def test_evaluating_holds_the_mode_only_inside(toy: Build) -> None:
    network = toy(channels=3).train()

    with evaluating(network) as held:
        inside = modes(held)

    assert not any(inside)
    assert all(modes(network))


def test_logits_do_not_depend_on_the_batches(toy: Build) -> None:
    predict, images = Predictor(toy(channels=3)), torch.rand(11, 3, 8, 8)
    progress = Counter()

    by_four = logits_of(predict, batches(images, size=4), progress)
    at_once = logits_of(predict, batches(images, size=11), Silent())

    np.testing.assert_allclose(by_four.logits, at_once.logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(by_four.index, np.arange(100, 111))
    assert by_four.logits.dtype == np.float32
    assert by_four.index.dtype == np.int64
    assert progress.count == 11


def test_features_are_the_pooled_tap_in_order(toy: Build) -> None:
    network, images = toy(channels=1), torch.rand(7, 1, 8, 8)

    features = features_of(network, batches(images, size=3))

    expected: Outputs = network.eval()(images, frozenset({Tap.POOLED}))
    assert expected.pooled is not None
    np.testing.assert_allclose(features, expected.pooled.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_no_image_at_all_is_an_error_about_data(toy: Build) -> None:
    network = toy(channels=3)

    with pytest.raises(DataError, match="no image"):
        logits_of(Predictor(network), [], Silent())
    with pytest.raises(DataError, match="no image"):
        features_of(network, [])
