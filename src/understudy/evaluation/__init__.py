"""What a network is worth, and its file that others can run."""

from pathlib import Path


def standalone_scripts(*, with_check: bool) -> list[Path]:
    """The scripts that are copied beside an exported file; they are never imported here.

    Args:
        with_check: Whether there are golden images to check against.
    """
    names = ["predict.py", "pixels.py", *(["check.py"] if with_check else [])]
    return [Path(__file__).parent / "standalone" / name for name in names]
