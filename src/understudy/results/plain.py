"""Text as a terminal can show it."""

import re
import unicodedata

from rich.console import Console
from rich.text import Text

ASCII = str.maketrans({"±": "+-", "−": "-", "–": "-", "·": "-", "“": '"', "”": '"', "†": "*"})

BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")
JOINT = "\ue000"  # private use: `plain_for` leaves none in a text


def plain_for(text: str, console: Console) -> str:
    """The text without control characters, which could steer the terminal."""
    clean = "".join(one for one in text if not unicodedata.category(one).startswith("C"))
    if console.encoding.lower().startswith("utf"):
        return clean
    return clean.translate(ASCII).encode(console.encoding, "replace").decode(console.encoding)


def lines_for(text: str, console: Console, *, indent: int = 0) -> list[str]:
    """The text in lines that fit the terminal; a number keeps its % beside it."""
    joined = Text(BEFORE_PERCENT.sub(JOINT, plain_for(text, console)))
    wrapped = joined.wrap(console, console.width - indent)
    return [" " * indent + line.plain.rstrip().replace(JOINT, " ") for line in wrapped]
