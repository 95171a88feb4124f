"""A name for an image's pixels, to find equal images wherever they lie."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from understudy.core.depth import Pixels

Fingerprints = NDArray[np.uint64]
"""[N, 2]: 128 bits for each image."""


def fingerprint(pixels: Pixels) -> bytes:
    """16 bytes that two images share only if their pixels [C, H, W] are equal."""
    shape = ",".join(map(str, pixels.shape)).encode()
    return blake2b(pixels.tobytes(), digest_size=16, key=shape).digest()


def fingerprints_of(digests: list[bytes]) -> Fingerprints:
    """Many fingerprints as one array."""
    return np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2).astype(np.uint64)


def groups_of(fingerprints: Fingerprints) -> NDArray[np.int64]:
    """For each image the number of its group of equal images, [N]."""
    pairs = fingerprints.view([("low", np.uint64), ("high", np.uint64)]).reshape(-1)
    return np.unique(pairs, return_inverse=True)[1].reshape(-1).astype(np.int64)
