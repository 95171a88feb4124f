from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WriteImages = Callable[..., Path]


@pytest.fixture
def write_images() -> WriteImages:
    """Writes PNG files of different random pixels: `{"train/cat": 3}` makes train/cat/0.png ..."""

    def write(
        root: Path, counts: Mapping[str, int], size: tuple[int, int] = (6, 4), seed: int = 0
    ) -> Path:
        random = np.random.default_rng(seed)
        for folder, count in counts.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / folder / f"{number}.png")
        return root

    return write
