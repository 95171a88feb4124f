"""The images of a run: opened once, checked, and told about in a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.core.depth import bits
from understudy.core.progress import Progress
from understudy.data.check.check import Check
from understudy.data.opening import open_checked
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings


class Images(NamedTuple):
    """Images that a run can use, and what a look at them told."""

    pack: Pack
    check: Check


def open_images(settings: DataSettings, *, runs: Path, shared: Path, progress: Progress) -> Images:
    """The images of a run.

    Raises:
        UsageError: The runs would lie inside the images, and be taken for a class of them.
        DataError: The images cannot serve; all that stands against them is told.
    """
    opened = open_checked(settings, runs=runs, shared=shared, progress=progress)
    opened.check.must_serve()
    assert opened.pack is not None, "images without errors make a pack"
    return Images(opened.pack, opened.check)


def described(pack: Pack) -> str:
    """What was found, and what became of it: `images: 40 images, 5 classes, used as ...`."""
    count, _, height, width = pack.images.shape
    splits = {name: int(np.sum(np.array(pack.given) == name)) for name in dict.fromkeys(pack.given)}
    given = ", ".join(f"{number:,} {name}" for name, number in splits.items() if name)
    parts = [
        f"{count:,} images" + (f" ({given})" if given else ""),
        f"{len(pack.classes)} classes",
        *([_groups(pack.groups)] if pack.groups else []),
        f"used as {width}x{height} pixels, {_channels(pack)}",
        *(f"left out {number:,} x {reason}" for reason, number in pack.skipped.items()),
    ]
    return f"images: {', '.join(parts)}"


def _channels(pack: Pack) -> str:
    if pack.bands:
        made = f", made of {pack.numbers}" if pack.numbers else ""
        return f"bands {', '.join(pack.bands)} of {bits(pack.depth)}{made}"
    channels = int(pack.images.shape[1])
    return f"{channels} channel{'s' if channels > 1 else ''}"


def _groups(groups: Sequence[str]) -> str:
    """How many, and how many images have one where some have none."""
    belonging = [group for group in groups if group]
    some = f" of {len(belonging):,} images" if len(belonging) < len(groups) else ""
    return f"{len(set(belonging)):,} groups{some}"


def warned(check: Check) -> str:
    """The warnings in a line, and where to read them in full; "" where there are none."""
    told = check.summary()
    return f"images: {told}; `understudy check-data` tells more" if told else ""
