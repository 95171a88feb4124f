import pytest
import torch
from torch import Tensor

from understudy.core.seeds import derived_seed
from understudy.data.counter import derived, noise, states, uniforms

WORD = 1 << 64
MANY = 100_000


def uniform(*, seed: int, view_ids: Tensor, index: Tensor, draw: str) -> Tensor:
    """One number for each pair of an image and a view."""
    return uniforms(states(seed=seed, view_ids=view_ids, index=index), [draw])[0]


def numbers(*, seed: int = 0, view: int = 0, draw: str = "crop", count: int = MANY) -> Tensor:
    index = torch.arange(count)
    return uniform(seed=seed, view_ids=torch.full_like(index, view), index=index, draw=draw)


def by_plain_integers(*, seed: int, view: int, image: int, draw: str) -> float:
    """The definition once more, in Python's unbounded integers."""

    def mixed(word: int) -> int:
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % WORD
        word = (word ^ word >> 27) * 0x94D049BB133111EB % WORD
        return word ^ word >> 31

    golden = 0x9E3779B97F4A7C15
    word = mixed((image * golden + derived_seed(0, f"seed {seed}")) % WORD)
    word = mixed((word + view * golden) % WORD)
    return (mixed((word + derived_seed(0, draw)) % WORD) >> 40) / (1 << 24)


def independence(first: Tensor, second: Tensor, cells: int = 16) -> float:
    """Chi-square of the joint counts, in standard deviations from what chance gives."""
    pairs = (first * cells).long() * cells + (second * cells).long()
    counts = torch.bincount(pairs, minlength=cells**2).double()
    expected = len(first) / cells**2
    freedom = cells**2 - 1
    return float(((counts - expected).square().sum() / expected - freedom) / (2 * freedom) ** 0.5)


def test_numbers_are_those_of_the_definition() -> None:
    cases = [(0, 0, 0, "crop"), (1, 2, 3, "crop"), (2**62, 10**6, 10**9, "color_jitter 0 hue")]

    for seed, view, image, draw in cases:
        found = uniform(
            seed=seed, view_ids=torch.tensor([view]), index=torch.tensor([image]), draw=draw
        )

        assert found.item() == by_plain_integers(seed=seed, view=view, image=image, draw=draw)


def test_numbers_are_pinned_because_stored_teacher_answers_rely_on_them() -> None:
    index = torch.tensor([0, 1, 2, 49_999])

    found = uniform(seed=7, view_ids=torch.tensor([0, 0, 5, 199]), index=index, draw="flip")

    assert (found * 2**24).tolist() == [14420522, 15588595, 11447035, 714583]


def test_a_number_is_the_same_alone_and_in_any_batch() -> None:
    index, view_ids = torch.randperm(1000), torch.arange(1000) % 7
    together = uniform(seed=3, view_ids=view_ids, index=index, draw="flip")

    alone = [
        uniform(seed=3, view_ids=view_ids[n : n + 1], index=index[n : n + 1], draw="flip")
        for n in range(1000)
    ]

    assert torch.equal(together, torch.cat(alone))


def test_many_draws_at_once_are_the_single_draws() -> None:
    index, view_ids = torch.arange(50), torch.arange(50) % 3
    words = states(seed=1, view_ids=view_ids, index=index)

    both = uniforms(words, ["top", "left"])

    for row, draw in zip(both, ["top", "left"], strict=True):
        assert torch.equal(row, uniform(seed=1, view_ids=view_ids, index=index, draw=draw))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_numbers_are_equal_bit_for_bit_on_a_gpu() -> None:
    index, view_ids = torch.arange(MANY), torch.arange(MANY) % 11

    there = uniform(seed=5, view_ids=view_ids.cuda(), index=index.cuda(), draw="flip")

    assert torch.equal(there.cpu(), uniform(seed=5, view_ids=view_ids, index=index, draw="flip"))


def test_numbers_are_uniform_over_images_and_over_views() -> None:
    index, everything = torch.zeros(MANY, dtype=torch.int64), torch.arange(MANY)
    over_views = uniform(seed=0, view_ids=everything, index=index, draw="crop")

    for found in (numbers(), over_views):
        steps = torch.arange(1, MANY + 1) / MANY
        distance = (found.sort().values - steps).abs().max()

        assert found.min() >= 0
        assert found.max() < 1
        assert distance < 1.95 / MANY**0.5  # Kolmogorov and Smirnov, p = 0.001


def test_every_bit_is_set_half_of_the_time() -> None:
    bits = (numbers() * 2**24).long()

    shares = torch.stack([(bits >> place & 1).double().mean() for place in range(24)])

    assert (shares - 0.5).abs().max() < 4.5 * 0.5 / MANY**0.5


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(numbers(draw="jitter"), id="draws"),
        pytest.param(numbers(view=1), id="neighbouring views"),
        pytest.param(numbers(view=2**20), id="distant views"),
        pytest.param(numbers(seed=1), id="neighbouring seeds"),
        pytest.param(numbers().roll(1), id="neighbouring images"),
        pytest.param(numbers().roll(512), id="images a power of two apart"),
    ],
)
def test_numbers_of_different_names_are_independent(other: Tensor) -> None:
    here = numbers()

    correlation = torch.corrcoef(torch.stack([here, other]).double())[0, 1]

    assert correlation.abs() < 4 / MANY**0.5
    assert abs(independence(here, other)) < 4


def test_noise_is_uniform_and_its_own_for_each_word_place_and_purpose() -> None:
    words = states(seed=3, view_ids=torch.zeros(50, dtype=torch.int64), index=torch.arange(50))

    found = noise(words, "lost", 4000)

    assert abs(float(found.double().mean()) - 0.5) < 0.005
    assert abs(float(found.double().std()) - 12**-0.5) < 0.005
    neighbours = torch.stack([found[:, :-1].flatten(), found[:, 1:].flatten()])
    images = torch.stack([found[:-1].flatten(), found[1:].flatten()])
    purposes = torch.stack([found.flatten(), noise(words, "bright", 4000).flatten()])
    for pair in (neighbours, images, purposes):
        assert abs(float(torch.corrcoef(pair.double())[0, 1])) < 0.01


def test_noise_of_a_word_is_the_same_in_every_batch_and_size() -> None:
    words = states(seed=3, view_ids=torch.zeros(9, dtype=torch.int64), index=torch.arange(9))

    assert torch.equal(noise(words[4:6], "x", 10), noise(words, "x", 30)[4:6, :10])


def test_derived_words_have_nothing_to_do_with_their_origin() -> None:
    words = states(seed=3, view_ids=torch.zeros(5000, dtype=torch.int64), index=torch.arange(5000))

    numbers = torch.stack([uniforms(of, ["x"])[0] for of in (words, derived(words, "a"))])

    assert abs(float(torch.corrcoef(numbers.double())[0, 1])) < 0.05
