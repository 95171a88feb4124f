"""Values as cells of a CSV file that a spreadsheet shows and never runs."""

FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""Beginnings that make a spreadsheet run a text cell."""


def cell(value: object) -> str:
    """A value as a cell: numbers with all their digits, nothing where nothing was measured.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    if value is None:
        return ""
    if isinstance(value, tuple):
        return text_cell(" ".join(value))
    return text_cell(value) if isinstance(value, str) else repr(value)


def text_cell(value: str) -> str:
    """A text as a cell; a carriage return, where a reader would end the row, becomes a line."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{lines}" if lines.startswith(FORMULA) else lines
