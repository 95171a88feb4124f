"""The images of a run: opened once, and told about in a line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from understudy.core.errors import UsageError
from understudy.core.progress import Progress
from understudy.data.pack import Pack, open_pack
from understudy.stages.material import DataSettings


def open_images(settings: DataSettings, *, runs: Path, shared: Path, progress: Progress) -> Pack:
    """The pack of a run's images.

    Raises:
        UsageError: The runs would lie inside the images, and be taken for a class of them.
        DataError: The images cannot serve.
    """
    for place in (getattr(settings.data, key, None) for key in ("path", "unlabeled")):
        if isinstance(place, Path) and runs.resolve().is_relative_to(place.resolve()):
            raise UsageError(
                f"{runs}: lies inside the images of {place}, and would be taken for some of them. "
                "Name a folder outside with `--runs`."
            )
    return open_pack(settings.data, shared=shared, progress=progress)


def described(pack: Pack) -> str:
    """What was found, and what became of it: `images: 40 images, 5 classes, used as ...`."""
    count, channels, height, width = pack.images.shape
    splits = {name: int(np.sum(np.array(pack.given) == name)) for name in dict.fromkeys(pack.given)}
    given = ", ".join(f"{number:,} {name}" for name, number in splits.items() if name)
    parts = [
        f"{count:,} images" + (f" ({given})" if given else ""),
        f"{len(pack.classes)} classes",
        *([_groups(pack.groups)] if pack.groups else []),
        f"used as {width}x{height} pixels, {channels} channel{'s' if channels > 1 else ''}",
        *(f"left out {number:,} x {reason}" for reason, number in pack.skipped.items()),
    ]
    return f"images: {', '.join(parts)}"


def _groups(groups: Sequence[str]) -> str:
    """How many, and how many images have one where some have none."""
    belonging = [group for group in groups if group]
    some = f" of {len(belonging):,} images" if len(belonging) < len(groups) else ""
    return f"{len(set(belonging)):,} groups{some}"
