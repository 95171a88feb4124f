"""Random numbers from a counter: each is named by (seed, view, image, draw) and can be made again.

The mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), applied once for
each coordinate. Integer arithmetic alone, so that numbers are equal bit for bit on every device,
in every batch and in every version of the libraries.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from understudy.core.seeds import derived_seed

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: SplitMix64's increment
_FIRST = 0xBF58476D1CE4E5B9  # the multipliers of SplitMix64 (Stafford's variant 13)
_SECOND = 0x94D049BB133111EB
_MANTISSA = 24  # bits that a float32 in [0, 1) holds exactly


def states(*, seed: int, view_ids: Tensor, index: Tensor) -> Tensor:
    """One well-mixed word for each pair of an image and a view, from which its draws are made.

    Args:
        seed: The seed of the views.
        view_ids: [B], int64; any shape that broadcasts with `index` will do.
        index: [B], int64: which image.

    Returns:
        [B], int64; all 64 bits are random, so half of the words are negative.
    """
    images = _mixed(index * _signed(_GOLDEN) + _signed(_key(f"seed {seed}")))
    return _mixed(images + view_ids * _signed(_GOLDEN))


def uniforms(words: Tensor, draws: Sequence[str]) -> Tensor:
    """Several independent numbers for each word of `states`.

    Args:
        words: [B], int64.
        draws: D names, one for each purpose.

    Returns:
        [D, B], float32, uniform in [0, 1) in steps of 2^-24.
    """
    keys = torch.tensor([_signed(_key(draw)) for draw in draws], device=words.device)
    bits = _mixed(words + keys[:, None])
    return _shifted(bits, 64 - _MANTISSA).to(torch.float32).mul_(2.0**-_MANTISSA)


def derived(words: Tensor, draw: str) -> Tensor:
    """[B] words, int64, that have nothing to do with those they were made of."""
    return _mixed(words + _signed(_key(draw)))


def noise(words: Tensor, draw: str, count: int) -> Tensor:
    """Many independent numbers for each word, such as one for each pixel.

    Args:
        words: [B], int64, on any device.
        draw: A name, for the purpose.
        count: N.

    Returns:
        [B, N], float32, uniform in [0, 1) in steps of 2^-24.
    """
    places = torch.arange(count, device=words.device) * _signed(_GOLDEN) + _signed(_key(draw))
    bits = _mixed(words[:, None] + _mixed(places))
    return _shifted(bits, 64 - _MANTISSA).to(torch.float32).mul_(2.0**-_MANTISSA)


@lru_cache(maxsize=4096)  # a plan has dozens of names, and asks for them at every step
def _key(name: str) -> int:
    return derived_seed(0, name)


def _mixed(words: Tensor) -> Tensor:
    words = words ^ _shifted(words, 30)
    words = words.mul_(_signed(_FIRST))  # wraps around, as meant
    words = words ^ _shifted(words, 27)
    words = words.mul_(_signed(_SECOND))
    return words ^ _shifted(words, 31)


def _shifted(words: Tensor, bits: int) -> Tensor:
    """Logical shift to the right: torch's own copies the sign into the upper bits."""
    return (words >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def _signed(word: int) -> int:
    """The int64 that has the bits of an unsigned 64-bit word."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word
