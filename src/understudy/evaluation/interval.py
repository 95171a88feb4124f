"""How far an accuracy over so many images can be trusted."""

from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Bounds of a share, 0-1."""

    low: float
    high: float


def accuracy_interval(correct: int, images: int, *, confidence: float) -> Interval:
    """Wilson's score interval of a share (E. B. Wilson, JASA 1927); sound also near 0 and 1.

    It tells the chance in drawing the test images, not the chance in training.

    Args:
        correct: Images answered rightly.
        images: All images; at least one.
        confidence: Such as 0.95.

    Raises:
        ValueError: The counts are impossible.
    """
    if not 0 <= correct <= images or images < 1:
        raise ValueError(f"{correct} of {images} is no share of some images.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / images
    centre = (share + z**2 / (2 * images)) / (1 + z**2 / images)
    spread = (share * (1 - share) / images + (z / (2 * images)) ** 2) ** 0.5
    reach = z * spread / (1 + z**2 / images)
    # By rounding a bound may cross 0, 1, or the share itself.
    return Interval(min(share, max(0.0, centre - reach)), max(share, min(1.0, centre + reach)))
