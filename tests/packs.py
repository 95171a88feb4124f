"""The images of a source, opened as every run opens them."""

from pathlib import Path

from understudy.core.progress import Progress, Silent
from understudy.data.check.check import Check
from understudy.data.pack import Pack, examine
from understudy.data.sources.listing import SourceSettings
from understudy.data.splits import SplitSettings


def open_pack(source: SourceSettings, *, shared: Path, progress: Progress | None = None) -> Pack:
    """Also of a source that a test makes up, and that no settings could name."""
    examined = examine(source.survey(), shared=shared, progress=progress or Silent())
    if examined.pack is None:
        Check(examined.inspection, SplitSettings()).must_serve()
    assert examined.pack is not None, "only images with errors make no pack"
    return examined.pack
