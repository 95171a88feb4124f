"""Images that look alike without being equal: the same picture saved, resized or cut again.

Two steps, for each alone would not do. The difference hash (dHash: 64 bits, each telling whether
a small grey picture grows brighter from one place to the next; Krawetz 2013) is quick to compare
with all others, but pictures of one composition, such as a ship under a sky, have similar ones.
So a pair of similar hashes is looked at again, in a grey picture of 18 x 16.

The numbers were chosen by looking at pairs of real images:

- `MOST_BITS` and `LEAST_ALIKE`: of the 60,000 images of CIFAR-10, 21,278 pairs differ in at most
  10 bits; 723 of them correlate to 0.93 or more, and of 112 of these that were looked at about 3
  were different pictures. From 0.90 to 0.93 CIFAR-10's pairs are mostly the same picture too, but
  among 3,000 flowers 5 of 7 were different dandelions and daisies; from 0.93 all 12 were the same
  picture. With more bits the share of different pictures grows, and candidates double with each.
- `LEAST_BESIDE_A_SLOPE`: two skies correlate for the brightness that both gain from bottom to
  top. What is left without the best plane must agree as well; of the 723 this takes 3.
- `LEAST_DETAIL`: below, a picture has nothing but noise to compare. 372 of 5,800 patches of
  EuroSAT, mostly open water, have deviations from 0.06 grey levels on; all of CIFAR-10 3.7 or more.
- `LEAST_SIDE`: a smaller image has fewer places than the grid; handwritten digits of 8 x 8 pixels
  would be called alike by the thousand.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from understudy.core.depth import Pixels, grey_levels
from understudy.core.progress import Progress
from understudy.data.blocks import in_blocks

Sketch = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int32]

WIDTH, HEIGHT = 18, 16  # twice the 9 x 8 places whose neighbours the 64 bits compare
MOST_BITS = 10
LEAST_ALIKE = 0.93
LEAST_BESIDE_A_SLOPE = 0.5
LEAST_DETAIL = 1.5  # standard deviation in grey levels of 0 to 255
LEAST_SIDE = 16  # pixels
MOST_PAIRS = 100_000  # kept; more of them say nothing new

_ROWS, _COLUMNS = 32, 8192  # hashes compared at once: 2 MB, which a core's cache holds


def sketch(pixels: Pixels) -> Sketch:
    """A small grey picture [HEIGHT, WIDTH] of an image [C, H, W]."""
    shown = grey_levels(pixels)
    if len(shown) == 3:
        grey = Image.fromarray(np.ascontiguousarray(shown.transpose(1, 2, 0))).convert("L")
    else:
        grey = Image.fromarray(np.ascontiguousarray(shown.mean(axis=0).astype(np.uint8)))
    return np.asarray(grey.resize((WIDTH, HEIGHT), Image.Resampling.BOX))


def is_flat(drawn: Sketch) -> bool:
    """Whether a sketch shows too little to be compared."""
    return bool(drawn.std() < LEAST_DETAIL)


def difference_hashes(sketches: Sketch) -> Hashes:
    """64 bits for each sketch: whether it grows brighter from left to right, [N]."""
    count = len(sketches)
    pooled = sketches.reshape(count, 8, 2, 9, 2).sum(axis=(2, 4), dtype=np.uint16)
    bits = (pooled[:, :, 1:] > pooled[:, :, :-1]).reshape(count, 64)
    return np.packbits(bits, axis=1).view(np.uint64).reshape(count)


def near_pairs(sketches: Sketch, groups: NDArray[np.int64], *, progress: Progress) -> Pairs:
    """The pairs of images that look alike and are not equal.

    Args:
        sketches: One of each image, [N, HEIGHT, WIDTH].
        groups: Number of each image's group of equal images, [N]; the first of each stands for it.
        progress: Where to show how far it is.

    Returns:
        [P, 3]: positions, the lower first, and how many bits differ; sorted by the bits. At most
        `MOST_PAIRS`.
    """
    firsts = np.unique(groups, return_index=True)[1]
    flat = sketches.reshape(len(sketches), -1)
    firsts = np.sort(firsts[flat[firsts].std(axis=1) >= LEAST_DETAIL])
    hashes, looks = difference_hashes(sketches[firsts]), flat[firsts]

    def block(number: int) -> Pairs:
        return _alike(_similar(hashes, number * _ROWS), looks)

    blocks = -(-len(firsts) // _ROWS)
    found: list[Pairs] = []
    kept = 0
    for results in in_blocks(block, blocks, title="comparing images", progress=progress):
        found += [pairs for pairs in results if kept < MOST_PAIRS]
        kept += sum(len(pairs) for pairs in results)
    pairs = np.concatenate([np.empty((0, 3), np.int32), *found])
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], pairs[:, 2]))][:MOST_PAIRS]
    pairs[:, :2] = firsts[pairs[:, :2]]
    return pairs


def _similar(hashes: Hashes, start: int) -> Pairs:
    """Pairs with few different bits, the first of each among `_ROWS` hashes from `start` on."""
    rows = hashes[start : start + _ROWS, None]
    found = [np.empty((0, 3), np.int32)]
    for column in range(start, len(hashes), _COLUMNS):
        bits = np.bitwise_count(rows ^ hashes[None, column : column + _COLUMNS])
        first, second = np.nonzero(bits <= MOST_BITS)
        pairs = np.stack([first + start, second + column, bits[first, second]], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]].astype(np.int32))
    return np.concatenate(found)


def _alike(pairs: Pairs, looks: Sketch) -> Pairs:
    """Those of the pairs whose sketches [N, HEIGHT * WIDTH] agree at a second look."""
    kept = [pairs[:0]]
    for start in range(0, len(pairs), 4096):  # 19 MB of sketches at a time
        some = pairs[start : start + 4096]
        one, other = looks[some[:, 0]].astype(np.float32), looks[some[:, 1]].astype(np.float32)
        alike = _correlation(one, other) >= LEAST_ALIKE
        level = _correlation(_without_slope(one), _without_slope(other)) >= LEAST_BESIDE_A_SLOPE
        kept.append(some[alike & level])
    return np.concatenate(kept)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    level_one = one - one.mean(axis=1, keepdims=True)
    level_other = other - other.mean(axis=1, keepdims=True)
    power = np.square(level_one).sum(axis=1) * np.square(level_other).sum(axis=1)
    together: NDArray[np.float32] = (level_one * level_other).sum(axis=1) / np.sqrt(power + 1e-6)
    return together


def _plane() -> NDArray[np.float32]:
    """An orthonormal basis of all planes over a sketch, [HEIGHT * WIDTH, 3]."""
    down, across = np.mgrid[:HEIGHT, :WIDTH].reshape(2, -1)
    basis = np.linalg.qr(np.stack([np.ones(HEIGHT * WIDTH), down, across], axis=1))[0]
    return basis.astype(np.float32)


_PLANE = _plane()


def _without_slope(looks: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.subtract(looks, (looks @ _PLANE) @ _PLANE.T, dtype=np.float32)
