import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from understudy.core.progress import Silent
from understudy.data.check import near
from understudy.data.check.near import (
    HEIGHT,
    LEAST_ALIKE,
    MOST_BITS,
    WIDTH,
    Pairs,
    difference_hashes,
    is_flat,
    near_pairs,
    sketch,
)

FLOWERS = Path(__file__).parents[5] / "shared" / "data" / "flowers96"


def photograph(seed: int, side: int = 64) -> Image.Image:
    """A picture with large and small shapes, as photographs have and noise has not."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def pairs_of(*images: Image.Image, groups: list[int] | None = None) -> list[tuple[int, int]]:
    sketches = np.stack([sketch(pixels_of(image)) for image in images])
    numbers = np.arange(len(images)) if groups is None else np.array(groups)
    found = near_pairs(sketches, numbers, progress=Silent())
    return [(int(one), int(other)) for one, other, _ in found]


def saved_again(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=30)
    return Image.open(stream)


CHANGES = {
    "saved as JPEG": saved_again,
    "resized": lambda image: image.resize((40, 40)),
    "cut at the edge": lambda image: image.crop((1, 1, 63, 63)),
    "brighter": lambda image: image.point([min(255, value + 30) for value in range(256)] * 3),
    "grey": lambda image: image.convert("L"),
    "softer": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_the_same_picture_changed_a_little_is_found(change: object, seed: int) -> None:
    assert callable(change)
    others = [photograph(100 + number) for number in range(20)]

    assert pairs_of(photograph(seed), *others, change(photograph(seed))) == [(0, 21)]


def test_different_pictures_are_not_found() -> None:
    assert pairs_of(*(photograph(seed) for seed in range(200))) == []


def test_equal_pictures_are_no_pair_and_one_stands_for_them() -> None:
    one, changed = photograph(1), saved_again(photograph(1))

    assert pairs_of(one, one, changed, groups=[0, 0, 1]) == [(0, 2)]


def slope(seed: int, steepness: float) -> Image.Image:
    """A sky: brighter towards one corner, with a little noise."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:64, :64]
    values = 90 + steepness * (down + across) + random.normal(0, 2, (64, 64))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def test_skies_that_share_nothing_but_a_slope_are_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    skies = [slope(seed, 0.5 + 0.05 * seed) for seed in range(6)]

    assert pairs_of(*skies) == []

    monkeypatch.setattr(near, "LEAST_BESIDE_A_SLOPE", -1.0)
    assert len(pairs_of(*skies)) == 15, "without that guard, each would look like each"


def test_pictures_that_show_nothing_are_not_compared() -> None:
    random = np.random.default_rng(0)
    shape = random.normal(0, 0.4, (64, 64)).cumsum(axis=0) * 0.1
    seas = [
        Image.fromarray((80.5 + shape + random.normal(0, 0.2, (64, 64))).astype(np.uint8))
        for _ in range(4)
    ]
    assert all(is_flat(sketch(pixels_of(sea))) for sea in seas)
    assert not is_flat(sketch(pixels_of(photograph(1))))

    assert pairs_of(*seas) == []


def test_flat_pictures_alone_are_no_trouble() -> None:
    assert pairs_of(*(Image.new("RGB", (64, 64), (level, 9, 9)) for level in range(3))) == []


def naive(sketches: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The definition, pair by pair."""
    hashes = difference_hashes(sketches)
    down, across = np.mgrid[:HEIGHT, :WIDTH].reshape(2, -1)
    plane = np.stack([np.ones(HEIGHT * WIDTH), down, across], axis=1)
    found = []
    for one, other in combinations(range(len(sketches)), 2):
        bits = (int(hashes[one]) ^ int(hashes[other])).bit_count()
        looks = [sketches[place].reshape(-1).astype(float) for place in (one, other)]
        left = [look - plane @ np.linalg.lstsq(plane, look)[0] for look in looks]
        alike = np.corrcoef(looks)[0, 1] >= LEAST_ALIKE
        if bits <= MOST_BITS and alike and np.corrcoef(left)[0, 1] >= near.LEAST_BESIDE_A_SLOPE:
            found.append((one, other, bits))
    return found


@pytest.fixture
def crowd() -> NDArray[np.uint8]:
    """Sixty pictures in families of three that differ more and more."""
    random = np.random.default_rng(3)
    families = []
    for seed in range(20):
        first = sketch(pixels_of(photograph(seed))).astype(float)
        families += [first + random.normal(0, 6 * step, first.shape) for step in range(3)]
    return np.array(families)[random.permutation(60)].clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("rows", "columns"), [(32, 8192), (7, 16), (1, 1), (64, 5)])
def test_blocks_of_any_size_find_what_the_definition_finds(
    crowd: NDArray[np.uint8], rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "_ROWS", rows)
    monkeypatch.setattr(near, "_COLUMNS", columns)

    found: Pairs = near_pairs(crowd, np.arange(60), progress=Silent())

    expected = naive(crowd)
    assert len(expected) > 20
    assert sorted(map(tuple, found.tolist())) == expected
    assert found[:, 2].tolist() == sorted(found[:, 2].tolist())


def test_a_hash_tells_where_it_grows_brighter() -> None:
    rising = np.tile(np.arange(WIDTH, dtype=np.uint8) * 9, (HEIGHT, 1))

    hashes = difference_hashes(np.stack([rising, rising[:, ::-1]]))

    assert [int(value) for value in hashes] == [2**64 - 1, 0]


def test_very_many_pairs_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST_PAIRS", 5)
    picture = sketch(pixels_of(photograph(1)))

    found = near_pairs(np.stack([picture] * 20), np.arange(20), progress=Silent())

    assert len(found) == 5


@pytest.mark.skipif(not FLOWERS.exists(), reason="no ../shared/data/flowers96")
def test_real_photographs_saved_twice_are_found_and_other_flowers_are_not() -> None:
    same = ("train/roses/13279526615_a3b0059bec.jpg", "test/roses/13342823005_16d3df58df_n.jpg")
    others = sorted((FLOWERS / "test" / "dandelion").glob("*.jpg"))[:60]
    images = [Image.open(FLOWERS / name) for name in same] + [Image.open(path) for path in others]

    assert (0, 1) in pairs_of(*images)
    assert len(pairs_of(*images)) == 1
