"""What resizing and cropping will do to the images: enlarge small ones, cut long ones."""

from understudy.data.check.finding import Finding, of_members
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
    return of_members(
        "enlarged",
        "note",
        names,
        one="image is",
        many="images are",
        then=f" smaller than {size} pixels, and enlarged:",
    )


def _cut(inspection: Inspection) -> list[Finding]:
    names = tuple(
        f"{entry.name}: {look.width} x {look.height}"
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if not look.reason and max(look.width, look.height) >= LONG * min(look.width, look.height)
    )
    return of_members(
        "cut",
        "warning",
        names,
        one="image is a long strip",
        many="images are long strips",
        then="; all but the central square is cut away:",
    )
