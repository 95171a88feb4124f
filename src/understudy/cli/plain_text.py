"""Text from files and arguments, made safe for a terminal."""

import re
import textwrap

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)?"  # operating system commands: titles, links, clipboard
    r"|\x1b[PX^_].*?(\x1b\\|$)"  # device control strings
    r"|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]"  # colours, cursor, screen
    r"|\x1b",
    re.DOTALL,
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of writing."""


def plain(text: str) -> str:
    """The text without escape sequences and control characters."""
    return CONTROLS.sub("", ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """The text in plain characters on one line."""
    return " ".join(plain(text).split())


def wrapped(text: str, *, first: str = "", indent: str, width: int = 79) -> list[str]:
    """Lines of at most `width` characters, the first behind `first`, the others behind `indent`."""
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def duration(seconds: float) -> str:
    """A time for people: `8 s`, `3 min 20 s`, `1 h 05 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
