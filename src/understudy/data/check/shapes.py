"""What resizing and cropping will do to the images: enlarge small ones, cut long ones."""

from understudy.data.check.finding import Finding
from understudy.data.check.inspection import Inspection

LONG = 3.0  # sides of a strip: cropping to the central square keeps a third or less of it


def shapes(inspection: Inspection) -> list[Finding]:
    """Images that lose much of themselves on the way to the network."""
    decoding = inspection.listing.decoding
    if decoding is None or decoding.size is None:
        return []
    return [*_enlarged(inspection, decoding.size), *_cut(inspection)]


def _enlarged(inspection: Inspection, size: int) -> list[Finding]:
    names = tuple(
        f"{entry.name}: {look.width} x {look.height}"
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if not look.reason and min(look.width, look.height) < size
    )
    if not names:
        return []
    which = "1 image is" if len(names) == 1 else f"{len(names):,} images are"
    sentence = f"{which} smaller than {size} pixels, and enlarged:"
    return [Finding("enlarged", "note", sentence, names, len(names))]


def _cut(inspection: Inspection) -> list[Finding]:
    names = tuple(
        f"{entry.name}: {look.width} x {look.height}"
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if not look.reason and max(look.width, look.height) >= LONG * min(look.width, look.height)
    )
    if not names:
        return []
    which = (
        "1 image is a long strip" if len(names) == 1 else f"{len(names):,} images are long strips"
    )
    sentence = f"{which}; all but the central square is cut away:"
    return [Finding("cut", "warning", sentence, names, len(names))]
