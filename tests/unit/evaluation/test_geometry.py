import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from understudy.evaluation.geometry import (
    Features,
    alignment,
    effective_rank,
    groups,
    spread,
    uniformity,
)


def drawn(images: int = 40, width: int = 12, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    scales = torch.linspace(0.1, 3, width, dtype=torch.float64)
    noise = torch.randn(images, width, generator=generator, dtype=torch.float64)
    return 0.5 + noise * scales


def rotation(width: int, *, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    square = torch.randn(width, width, generator=generator, dtype=torch.float64)
    orthogonal: Tensor = torch.linalg.qr(square).Q
    return orthogonal


def test_sure_and_equal_assignments_divide_images_into_as_many_groups() -> None:
    sure = torch.eye(4).repeat(6, 1)

    assert groups([sure]) == pytest.approx(4)
    assert groups(torch.split(sure, 5)) == pytest.approx(4)  # batches of any size


@pytest.mark.parametrize("alike", [torch.eye(4)[0], torch.full((4,), 0.25)])
def test_images_that_are_assigned_alike_are_one_group(alike: Tensor) -> None:
    """To one prototype surely, or to all of them equally."""
    assert groups([alike.expand(20, 4)]) == pytest.approx(1)


def test_groups_are_the_divergence_of_assignments_from_their_mean() -> None:
    assignments = drawn(30, 5).float().softmax(dim=1)
    mean = assignments.mean(dim=0)
    divergence = (assignments * (assignments / mean).log()).sum(dim=1).mean()

    assert groups([assignments]) == pytest.approx(float(divergence.exp()), rel=1e-5)


@pytest.mark.parametrize("measure", [spread, effective_rank, uniformity])
def test_scale_tells_nothing(measure: object) -> None:
    assert callable(measure)
    assert measure(1000 * drawn()) == pytest.approx(measure(drawn()))


def test_a_rotation_of_the_space_tells_nothing() -> None:
    """Of the spread only on average: it is a mean over dimensions of a root."""
    features, other = drawn(), drawn(seed=2)
    turned, other_turned = features @ rotation(12), other @ rotation(12)

    assert effective_rank(turned) == pytest.approx(effective_rank(features))
    assert uniformity(turned) == pytest.approx(uniformity(features))
    assert alignment(turned, other_turned) == pytest.approx(alignment(features, other))
    assert alignment(9 * features, 0.1 * other) == pytest.approx(alignment(features, other))


def test_spread_is_one_in_all_directions_and_zero_in_one() -> None:
    generator = torch.Generator().manual_seed(0)
    everywhere = torch.randn(20_000, 16, generator=generator)
    one_way = torch.ones(30, 16) * torch.arange(1, 31)[:, None]

    assert spread(everywhere) == pytest.approx(1, abs=0.01)
    assert spread(one_way) == pytest.approx(0, abs=1e-6)


def test_spread_of_the_axes_is_known() -> None:
    """Each dimension is 1 once and 0 else: a standard deviation of sqrt(D - 1) / D."""
    assert spread(torch.eye(8)) == pytest.approx(math.sqrt(7) / 8 * math.sqrt(8))


def test_spread_tells_the_mean_cosine_where_dimensions_are_even() -> None:
    """What the threshold of a collapse stands on; elsewhere the cosine is less."""
    generator = torch.Generator().manual_seed(0)
    even = 2 + torch.randn(4000, 16, generator=generator, dtype=torch.float64)
    signs = torch.tensor([1, -1], dtype=torch.float64).repeat(8)
    unit = torch.nn.functional.normalize(even * signs, dim=1)

    assert 1 - (unit @ unit.T).mean() == pytest.approx(spread(even) ** 2, rel=0.01)
    for seed in range(5):
        features = drawn(seed=seed) + 2 * seed
        unit = torch.nn.functional.normalize(features, dim=1)
        cosines = unit @ unit.T

        assert 1 - cosines.mean() >= spread(features) ** 2 - 1e-12


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_effective_rank_counts_equal_dimensions(rank: int) -> None:
    features = torch.zeros(40, 12)
    features[torch.arange(5 * rank), torch.arange(rank).repeat(5)] = 2

    assert effective_rank(features @ rotation(12).float()) == pytest.approx(rank, rel=1e-4)


def test_effective_rank_is_the_entropy_of_the_singular_values() -> None:
    values = np.array([4.0, 2.0, 1.0, 1.0])

    found = effective_rank(torch.diag(torch.from_numpy(values)))

    shares = values / 8
    assert found == pytest.approx(math.exp(-(shares * np.log(shares)).sum()))
    assert found == pytest.approx(2**1.75)  # half, a quarter and two eighths: 1.75 bits


def test_effective_rank_is_near_the_authors_formula() -> None:
    """Theirs adds 1e-7 to each share."""
    features = drawn().numpy()

    values = np.linalg.svd(features, compute_uv=False)
    shares = values / np.abs(values).sum() + 1e-7
    theirs = np.exp(-np.sum(shares * np.log(shares)))

    assert effective_rank(features) == pytest.approx(theirs, rel=1e-4)


def test_features_of_a_dead_network_have_no_rank_and_no_spread() -> None:
    assert effective_rank(torch.zeros(9, 4)) == 0
    assert spread(torch.zeros(9, 4)) == 0


def test_alignment_is_zero_of_one_view_four_of_opposites_and_two_of_strangers() -> None:
    features = drawn()

    assert alignment(features, 3 * features) == pytest.approx(0, abs=1e-12)
    assert alignment(features, -features) == pytest.approx(4)
    assert alignment(torch.eye(4)[:2], torch.eye(4)[2:]) == pytest.approx(2)


def test_uniformity_is_the_literal_mean_over_pairs() -> None:
    features = drawn(images=7).numpy()

    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    kernels = [
        math.exp(-2 * float(((unit[one] - unit[other]) ** 2).sum()))
        for one in range(7)
        for other in range(one)
    ]

    assert uniformity(features) == pytest.approx(math.log(sum(kernels) / len(kernels)))


@pytest.mark.parametrize(
    ("features", "expected"),
    [(np.ones((5, 3)), 0.0), (np.eye(6), -4.0), (np.array([[1.0, 0.0], [-1.0, 0.0]]), -8.0)],
)
def test_uniformity_of_known_directions(features: NDArray[np.float64], expected: float) -> None:
    """Of one direction, of right angles (d^2 = 2), of two opposites (d^2 = 4)."""
    assert uniformity(features) == pytest.approx(expected)


def test_float_precision_and_container_do_not_matter() -> None:
    single: list[Features] = [drawn().float(), drawn().float().numpy()]

    for measure in (spread, effective_rank, uniformity):
        assert [measure(features) for features in single] == pytest.approx(
            [measure(drawn())] * 2, rel=1e-5
        )


def test_the_rank_of_wide_features_is_that_of_their_singular_values() -> None:
    features = torch.randn(20, 300, generator=torch.Generator().manual_seed(0)) ** 3
    shares = torch.linalg.svdvals(features.double())
    shares = shares / shares.sum()

    assert effective_rank(features) == pytest.approx(float((-shares * shares.log()).sum().exp()))
