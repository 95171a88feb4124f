"""Images of bands that do not fit together: a table of what was found."""

import re
from collections import Counter

from understudy.data.bands.decoding import listed
from understudy.data.check.finding import Finding
from understudy.data.check.inspection import Inspection
from understudy.data.sources.listing import Listing

BAND_FILE = re.compile(r"_(B\d{1,2}A?)\.tiff?$", re.IGNORECASE)
"""As the files of single bands of Sentinel-2 and Landsat are called."""
MOST_ROWS = 6  # of the table: it shares a screen with the names of ten images


def several_layouts(inspection: Inspection, *, refused: bool) -> list[Finding]:
    """Images without the bands that are wanted in every pixel, or of several types of pixels.

    Args:
        inspection: What was seen of every image.
        refused: Whether images that cannot be read stop a training; few unlabeled ones do not.
    """
    listing = inspection.listing
    if not listing.bands:
        return []
    read: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for entry, look in zip(listing.entries, inspection.looks, strict=True):
        if look.mode:
            verdict = look.reason or "read"
            read[look.mode, verdict] += 1
            examples.setdefault((look.mode, verdict), entry.name)
    types = {layout.split(" ", 1)[0] for layout, verdict in read if verdict == "read"}
    bad = sum(count for (_, verdict), count in read.items() if verdict != "read")
    if len(types) < 2 and not (bad and refused):
        return []
    rows = [
        (layout, f"{count:,}", verdict, examples[layout, verdict])
        for (layout, verdict), count in read.most_common(MOST_ROWS)
    ]
    count = "the band" if len(listing.bands) == 1 else f"the {len(listing.bands)} bands"
    wanted = f"{count} {listed(listing.bands)}"
    sentence = (
        f"{bad:,} of {sum(read.values()):,} images cannot give {wanted}. What was found:"
        if bad and refused
        else f"pixels of {' and '.join(sorted(types))} do not go together. What was found:"
    )
    return [Finding("bands", "error", sentence, _table(rows), len(rows))]


def bands_apart(listing: Listing) -> list[Finding]:
    """A warning where every image is called after a band, and each folder has several, each once.

    A training would take bands for images, and each image for a class.
    """
    folders: dict[str, list[str]] = {}
    for entry in listing.entries:
        place, _, name = entry.name.rpartition("/")
        band = BAND_FILE.search(name)
        if band is None:
            return []
        folders.setdefault(place, []).append(band[1])
    if not folders or any(len(own) == 1 or len(set(own)) < len(own) for own in folders.values()):
        return []
    sentence = (
        "every file is called after a band, and each folder holds several bands, each once. Where "
        "a folder is one image, set `data.kind=patches`: now each band counts as an image."
    )
    return [Finding("bands apart", "warning", sentence)]


def _table(rows: list[tuple[str, str, str, str]]) -> tuple[str, ...]:
    head = ("found", "images", "read as", "such as")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(3)]
    return tuple(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}"
        for row in (head, *rows)
    )
