"""Text as a terminal can show it."""

import unicodedata

from rich.console import Console

ASCII = str.maketrans({"±": "+-", "−": "-", "–": "-", "·": "-", "“": '"', "”": '"', "†": "*"})


def plain_for(text: str, console: Console) -> str:
    """The text without control characters, which could steer the terminal."""
    clean = "".join(one for one in text if not unicodedata.category(one).startswith("C"))
    if console.encoding.lower().startswith("utf"):
        return clean
    return clean.translate(ASCII).encode(console.encoding, "replace").decode(console.encoding)
