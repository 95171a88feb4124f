"""Patches of satellite images, a folder each: one TIFF for each band, and a JSON file of labels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from understudy.data.bands.choosing import WantedBands
from understudy.data.bands.decoding import BandDecoding
from understudy.data.check.finding import Finding, of_members
from understudy.data.decode import Content
from understudy.data.sources.file_source import FileSourceSettings, Found, top
from understudy.data.sources.listing import AnyDecoding, Entry, split_of
from understudy.data.sources.patch_files import SUFFIXES, Patch, labels_in, patches_of


class PatchesSettings(FileSourceSettings):
    """Folders of one image each, as BigEarthNet has them: a TIFF for each band, labels in a JSON.

    The bands may have several resolutions; all are resized to the largest, or to `size`. Folders
    `train/`, `val/`, `test/` and `unlabeled/` above the patches are splits. A patch may have
    several labels: `schemes` make classes of them.
    """

    kind: Literal["patches"] = "patches"
    path: Path
    """The folder that holds the patches, at any depth."""
    bands: WantedBands | None = "all"
    """The bands that become the channels, by name, in this order: [B04, B03, B02]. Or `all`; or
    `rgb`: those called red, green and blue, or so by Sentinel-2."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.bands is None:
            raise ValueError("bands: patches have nothing else; leave it out to take all")
        if self.unlabeled is not None:
            raise ValueError("unlabeled: put patches without labels into `unlabeled/` in `path`")
        if self.band_names is not None:
            raise ValueError("band_names: the names of the files tell; leave it out")
        return self

    def decoding(self, bands: tuple[str, ...], *, alone: bool = False) -> AnyDecoding:
        """What the pixels shall be."""
        found = super().decoding(bands, alone=alone)
        return found._replace(apart=True) if isinstance(found, BandDecoding) else found

    def found(self) -> Found:
        """All patches, sorted by name."""
        ignored: Counter[str] = Counter()
        root = top(self.path, key="data.path", name="", ignored=ignored, suffixes=SUFFIXES)
        patches = patches_of(root.all_images(), ignored)
        splits = [_split(patch) for patch in patches]
        labels, problems = _labels(patches, splits)
        tags = tuple(sorted({label for own in labels for label in own or ()}))
        numbers = {label: number for number, label in enumerate(tags)}
        wanted = self.bands if isinstance(self.bands, tuple) else None

        def read(index: int) -> Content:
            return patches[index].content(wanted)

        return Found(
            origin=str(self.path),
            root=root.path,
            classes=(),
            entries=[
                Entry(
                    patch.name,
                    split,
                    -1,
                    tags=None if own is None else tuple(sorted({numbers[one] for one in own})),
                )
                for patch, split, own in zip(patches, splits, labels, strict=True)
            ],
            read=read,
            files=[file for patch in patches for file in patch.files],
            ignored=ignored,
            problems=tuple(problems),
            tags=tags,
        )


def _split(patch: Patch) -> str:
    """What the folder above tells; "" where it tells nothing."""
    above, _, _ = patch.name.partition("/")
    return (split_of(above) or "") if "/" in patch.name else ""


def _labels(
    patches: Sequence[Patch], splits: Sequence[str]
) -> tuple[list[tuple[str, ...] | None], list[Finding]]:
    """The labels of each patch, None where it has no file of them; and what stands against them."""
    found: list[tuple[str, ...] | None] = []
    damaged: list[str] = []
    bare: list[str] = []
    for patch, split in zip(patches, splits, strict=True):
        try:
            own = labels_in(Path(patch.labels.path)) if patch.labels else None
        except ValueError as error:
            damaged.append(f"{patch.name}: {error}")
            own = ()
        if own is None and split in ("val", "test"):
            bare.append(patch.name)
        found.append(own)
    return found, [
        *of_members(
            "damaged labels",
            "error",
            tuple(damaged),
            one="patch has",
            many="patches have",
            then=" labels that cannot be read:",
        ),
        *of_members(
            "no labels",
            "error",
            tuple(bare),
            one="patch is",
            many="patches are",
            then=" for validation or test, and without a file of labels:",
        ),
    ]
