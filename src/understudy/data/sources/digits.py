"""Real handwritten digits that come with scikit-learn, for trying everything without a download."""

from importlib.metadata import version
from typing import Literal

import numpy as np

from understudy.core.depth import Pixels
from understudy.data.sources.listing import Entry, Listing, SourceSettings


class DigitsSettings(SourceSettings):
    """1,797 handwritten digits of 8x8 grey pixels, shipped inside scikit-learn; no split given."""

    kind: Literal["digits"] = "digits"

    def survey(self) -> Listing:
        """All digits, their 17 grey levels spread over 0 to 255."""
        from sklearn.datasets import load_digits  # half a second that other sources need not wait

        digits = load_digits()
        images: Pixels = np.rint(digits.images * 255 / 16).astype(np.uint8)[:, None]

        def read(index: int) -> Pixels:
            pixels: Pixels = images[index]
            return pixels

        return Listing(
            origin="digits",
            classes=tuple(str(digit) for digit in range(10)),
            entries=tuple(
                Entry(name=f"digits/{index:04}", split="", label=int(label))
                for index, label in enumerate(digits.target)
            ),
            read=read,
            decoding=None,
            ignored={},
            stamp=f"scikit-learn {version('scikit-learn')}",  # the files are part of it
        )
