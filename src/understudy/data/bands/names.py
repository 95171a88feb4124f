"""What bands are called: as a file tells it, and which of them are red, green and blue."""

import html
import re
from collections.abc import Sequence

RGB = (("red", "green", "blue"), ("R", "G", "B"), ("B04", "B03", "B02"))
"""Names of the colours, in any letter case: in words, in letters, and as Sentinel-2 counts them."""
UNPADDED = ("B4", "B3", "B2")
"""As Earth Engine writes Sentinel-2's. Other sensors count otherwise: these are believed only
beside `B8A`, which no other sensor has."""

_GDAL_ITEM = re.compile(
    r'<Item\s+name="DESCRIPTION"\s+sample="(\d+)"\s+role="description"\s*>([^<]*)</Item>'
)


def numbered(count: int) -> tuple[str, ...]:
    """Names where nobody gives any: 1, 2, ... as GDAL counts bands."""
    return tuple(str(number) for number in range(1, count + 1))


def of_gdal(metadata: str, count: int) -> tuple[str, ...]:
    """The bands' descriptions in GDAL's own tag; empty where it does not name all of them."""
    told = {int(place): html.unescape(name).strip() for place, name in _GDAL_ITEM.findall(metadata)}
    return distinct([told.get(place, "") for place in range(count)], count)


def of_words(description: str, count: int) -> tuple[str, ...]:
    """The words of a description, where there is one for each band; else empty."""
    return distinct(re.split(r"[\s,;]+", description.strip()), count)


def distinct(names: Sequence[str], count: int) -> tuple[str, ...]:
    """The names, if there are so many, none empty and none twice; else empty."""
    fits = len(names) == count == len(set(names)) and all(names)
    return tuple(names) if fits else ()


def colours(names: Sequence[str]) -> tuple[str, str, str] | None:
    """Which of the bands are red, green and blue; None where their names do not tell."""
    known = {name.lower(): name for name in names}
    ways = (*RGB, *([UNPADDED] if "b8a" in known else []))
    for way in ways:
        found = [known.get(name.lower()) for name in way]
        red, green, blue = found
        if red and green and blue:
            return red, green, blue
    return None
