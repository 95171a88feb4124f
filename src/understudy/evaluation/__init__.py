"""What a network is worth, and its file that others can run."""

from pathlib import Path


def standalone_scripts(*, with_check: bool, of_bands: bool = False) -> list[Path]:
    """The scripts that are copied beside an exported file; they are never imported here.

    Args:
        with_check: Whether there are golden images to check against.
        of_bands: Whether the images are no photographs, but bands.
    """
    pixels = "bands/pixels.py" if of_bands else "pixels.py"
    names = ["predict.py", pixels, *(["check.py"] if with_check else [])]
    return [Path(__file__).parent / "standalone" / name for name in names]
