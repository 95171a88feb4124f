"""Classes that a split lacks, and classes of very different sizes or too small to judge."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.data.check.finding import Finding

Counts = Mapping[str, NDArray[np.int64]]
"""Split -> images of each class, [K]."""

UNEVEN = 10.0  # images of the largest class for one of the smallest: accuracy hides the smallest
FEW_TO_JUDGE = 30
"""Test images of a class below which its 95 % interval is wider than 35 points at one in two
right (2 x 1.96 x sqrt(0.25 / 30) = 0.36)."""
FEW_TO_TRAIN = 10  # images of a class with which no network learns more than those


def missing(classes: Sequence[str], counts: Counts, *, given: Sequence[str]) -> list[Finding]:
    """Classes without an image in validation or test, where the data came with that split."""
    found = []
    for split, title in (("val", "validation"), ("test", "test")):
        absent = tuple(
            name for name, count in zip(classes, counts[split], strict=True) if not count
        )
        if split in given and absent:
            sentence = (
                f"{_which(len(absent))} no {title} image, so no figure of "
                f"{'its' if len(absent) == 1 else 'their'} own there:"
            )
            found.append(Finding("missing classes", "warning", sentence, absent, len(absent)))
    return found


def uneven(classes: Sequence[str], counts: Counts) -> list[Finding]:
    """A largest training class that outweighs the smallest."""
    trained = counts["train"]
    smallest, largest = int(np.argmin(trained)), int(np.argmax(trained))
    if not trained[smallest] or trained[largest] < UNEVEN * trained[smallest]:
        return []
    ratio = trained[largest] / trained[smallest]
    sentence = (
        f"the classes are uneven: {trained[largest]:,} training images of {classes[largest]!r}, "
        f"{trained[smallest]:,} of {classes[smallest]!r} ({ratio:,.0f} to 1). Look at macro F1 "
        "beside accuracy."
    )
    return [Finding("uneven classes", "warning", sentence, (classes[smallest],), 1)]


def few(classes: Sequence[str], counts: Counts) -> list[Finding]:
    """Classes of too few images to learn from or to be judged by."""
    found = []
    for split, least, title, why in (
        ("train", FEW_TO_TRAIN, "training", "too few to learn from"),
        ("test", FEW_TO_JUDGE, "test", "too few to judge the class by"),
    ):
        small = [
            (int(count), name)
            for name, count in zip(classes, counts[split], strict=True)
            if 0 < count < least
        ]
        if small:
            members = tuple(f"{name}: {count}" for count, name in sorted(small))
            sentence = f"{_which(len(small))} fewer than {least} {title} images, {why}:"
            found.append(Finding(f"few {title} images", "warning", sentence, members, len(small)))
    return found


def _which(count: int) -> str:
    return "1 class has" if count == 1 else f"{count:,} classes have"
