"""What the mean of several networks says."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Tap
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.ensemble import (
    Ensemble,
    EnsembleNetworkSettings,
    Mean,
    at_size,
    mean_of_logits,
    mean_of_probabilities,
)
from understudy.models.frozen import Frozen
from understudy.models.network import NetworkSettings

LOGITS = frozenset({Tap.LOGITS})
THIRDS = torch.full((3,), 1 / 3, dtype=torch.float64)


def said(members: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return 3 * torch.randn(members, 5, 4, dtype=torch.float64, generator=generator)


def settings(size: int = 16) -> NetworkSettings:
    backbone = CifarResNetSettings(depth=8, width=0.25)
    return NetworkSettings(backbone=backbone, channels=3, size=size, classes=("a", "b", "c"))


def together(*, mean: Mean = "probabilities", sizes: tuple[int, ...] = (16, 16)) -> Ensemble:
    members = [
        settings(size).build(mean=[0.5] * 3, std=[0.2 + seed / 10] * 3, seed=seed)
        for seed, size in enumerate(sizes)
    ]
    weights = [1.0] * len(members)
    return Ensemble(members, sizes=sizes, weights=weights, mean=mean).eval()


def images(size: int = 16) -> Tensor:
    return torch.rand(6, 3, size, size, generator=torch.Generator().manual_seed(0))


def test_the_mean_of_probabilities_is_linear_in_every_member() -> None:
    logits = said()

    found = mean_of_probabilities(logits, THIRDS).exp()

    assert_close(found, logits.softmax(dim=-1).mean(dim=0))
    assert_close(found.sum(dim=-1), torch.ones(5, dtype=torch.float64))


def test_the_divergence_from_the_mean_is_the_mean_divergence_up_to_a_constant() -> None:
    """Why a student of an ensemble may learn from the mean alone."""
    logits = said()
    mean = mean_of_probabilities(logits, THIRDS)

    def divergence(teacher: Tensor, student: Tensor) -> Tensor:
        student = F.log_softmax(student, dim=-1)
        return F.kl_div(
            student, F.log_softmax(teacher, dim=-1), reduction="batchmean", log_target=True
        )

    gaps = [
        torch.stack([divergence(one, student) for one in logits]).mean() - divergence(mean, student)
        for student in said(4)
    ]
    for one, other in pairwise(gaps):
        assert_close(one, other)


def test_the_mean_of_logits_is_the_geometric_mean_of_probabilities() -> None:
    logits = said()

    found = mean_of_logits(logits, THIRDS).softmax(dim=-1)

    geometric = logits.softmax(dim=-1).log().mean(dim=0).exp()
    assert_close(found, geometric / geometric.sum(dim=-1, keepdim=True))


@pytest.mark.parametrize("mean", [mean_of_probabilities, mean_of_logits])
def test_a_weight_of_two_is_the_same_member_twice(mean: object) -> None:
    assert callable(mean)
    logits = said(2)
    weights = torch.tensor([2 / 3, 1 / 3], dtype=torch.float64)

    twice = torch.stack([logits[0], logits[0], logits[1]])
    assert_close(mean(logits, weights), mean(twice, THIRDS))


def test_a_certain_member_leaves_every_class_possible() -> None:
    certain = torch.tensor([[[1e4, 0.0]], [[0.0, 0.0]]])

    found = mean_of_probabilities(certain, torch.tensor([0.5, 0.5]))

    assert_close(found.exp(), torch.tensor([[0.75, 0.25]]))


def test_each_member_sees_images_of_its_own_size_and_normalises_for_itself() -> None:
    ensemble, pixels = together(sizes=(16, 8)), images()

    found = ensemble(pixels, LOGITS).logits

    big, small = ensemble.members
    asked = [big(pixels, LOGITS).logits, small(at_size(pixels, 8), LOGITS).logits]
    expected = torch.stack([each.softmax(dim=-1) for each in asked]).mean(dim=0).log()
    assert_close(found, expected)


def test_it_comes_back_from_its_settings_and_weights() -> None:
    ensemble = together(mean="logits")
    kept = EnsembleNetworkSettings(
        members=(settings(), settings()), mean="logits", weights=(1, 1), size=16
    )

    again = EnsembleNetworkSettings.model_validate(kept.model_dump(mode="json")).empty()
    again.load_state_dict(ensemble.state_dict())

    assert torch.equal(again.eval()(images(), LOGITS).logits, ensemble(images(), LOGITS).logits)
    assert (kept.classes, kept.channels) == (("a", "b", "c"), 3)


def test_it_has_no_features_and_says_so() -> None:
    with pytest.raises(UsageError, match="logits alone"):
        together()(images(), frozenset({Tap.POOLED}))


def test_frozen_it_moves_in_no_mode() -> None:
    frozen = Frozen(together())
    before = {name: value.clone() for name, value in frozen.state_dict().items()}

    frozen.train()(images(), LOGITS)

    assert not any(part.training for part in frozen.modules())
    assert all(torch.equal(value, before[name]) for name, value in frozen.state_dict().items())
