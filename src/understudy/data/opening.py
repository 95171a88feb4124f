"""Opening a set of images: looked at, checked, packed, whoever asks."""

from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import UsageError
from understudy.core.progress import Progress
from understudy.data.check.check import Check
from understudy.data.meaning import inspection_under, pack_under
from understudy.data.pack import Pack, examine
from understudy.data.settings import DataSettings


class Opened(NamedTuple):
    """A set of images."""

    check: Check
    pack: Pack | None
    """None where the images cannot make one; the check tells why."""


def open_checked(settings: DataSettings, *, runs: Path, shared: Path, progress: Progress) -> Opened:
    """Looks at the images, or finds what an earlier look told.

    Args:
        settings: Which images, and how they are split.
        runs: Root of all runs.
        shared: Where packs lie.
        progress: Where to show how far it is.

    Raises:
        UsageError: The runs would lie inside the images, and be taken for a class of them.
        DataError: Nothing can be listed there, or a file changed while it was read.
        StorageError: The disk refuses or is too small.
    """
    for place in (getattr(settings.data, key, None) for key in ("path", "unlabeled")):
        if isinstance(place, Path) and runs.resolve().is_relative_to(place.resolve()):
            raise UsageError(
                f"{runs}: lies inside the images of {place}, and would be taken for some of them. "
                "Name a folder outside with `--runs`."
            )
    examined = examine(settings.data.survey(), shared=shared, progress=progress)
    if examined.pack is None:  # what stands against any use of them is told first
        return Opened(Check(examined.inspection, settings.split), None)
    inspection = inspection_under(settings, examined.inspection)
    check = Check(inspection, settings.split, scheme=settings.scheme or "")
    return Opened(check, pack_under(settings, examined.pack))
