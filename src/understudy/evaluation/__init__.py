"""What a network is worth, and its file that others can run."""

from pathlib import Path


def standalone_path() -> Path:
    """The script that is copied beside an exported file; it is never imported here."""
    return Path(__file__).with_name("standalone.py")
