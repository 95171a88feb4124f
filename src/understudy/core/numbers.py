"""What the numbers of bands are, before they are pixels: of which kind, and which of them is 1.

A network sees [0, 1] and cannot tell a reflectance of 0.2 that was kept as 2,000 of 65,535 from one
that was written as 0.2. So a pack knows it of its files, a network keeps it, and whatever brings
the two together compares it.
"""

from typing import Literal

from pydantic import PositiveFloat

from understudy.core.depth import DEPTHS, white
from understudy.core.settings import Settings


class Numbers(Settings):
    """Of the files of bands. Of photographs it is always the same, and nobody asks."""

    kind: Literal["whole", "float"]
    """As the files hold them."""
    white: PositiveFloat
    """The number, once it is scaled, that is 1 to a network."""

    def __str__(self) -> str:
        """`whole numbers from 0 to 65,535`, which are 0 to 1 to a network."""
        kind = "whole numbers" if self.kind == "whole" else "floats"
        is_kept = self.kind == "float" or self.white in {white(depth) for depth in DEPTHS}
        return f"{kind}{'' if is_kept else ', scaled,'} from 0 to {self.white:,.15g}"
