"""Patches of satellite images, a folder each: one TIFF for each band, and a JSON file of labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from understudy.data.bands.choosing import WantedBands
from understudy.data.bands.decoding import BandDecoding
from understudy.data.check.finding import Finding, of_members
from understudy.data.decode import Content
from understudy.data.sources.class_list import class_list
from understudy.data.sources.file_source import FileSourceSettings, Found, top
from understudy.data.sources.label_sets import absent_classes, classes_of, labels_in
from understudy.data.sources.listing import AnyDecoding, Entry, split_of
from understudy.data.sources.patch_files import SUFFIXES, Patch, patches_of


class _Labelled(NamedTuple):
    """A patch, and what it is for."""

    patch: Patch
    split: str
    name: str | None
    """Its class; None: unlabeled."""


class PatchesSettings(FileSourceSettings):
    """Folders of one image each, as BigEarthNet has them: a TIFF for each band, labels in a JSON.

    The bands may have several resolutions; all are resized to the largest, or to `size`. Folders
    `train/`, `val/`, `test/` and `unlabeled/` above the patches are splits.
    """

    kind: Literal["patches"] = "patches"
    path: Path
    """The folder that holds the patches, at any depth."""
    bands: WantedBands | None = "all"
    """The bands that become the channels, by name, in this order: [B04, B03, B02]. Or `all`; or
    `rgb`: those called red, green and blue, or so by Sentinel-2."""
    classes: Mapping[str, tuple[str, ...]] = {}
    """Each class with the labels of which any makes a patch one of it:
    {irrigated: [Permanently irrigated land, Rice fields]}."""
    otherwise: str | None = None
    """The class of labelled patches that have no label of any class; without it they are
    unlabeled."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.bands is None:
            raise ValueError("bands: patches have nothing else; leave it out to take all")
        if self.unlabeled is not None:
            raise ValueError("unlabeled: put patches without labels into `unlabeled/` in `path`")
        if self.band_names is not None:
            raise ValueError("band_names: the names of the files tell; leave it out")
        if self.otherwise in self.classes:
            raise ValueError(f"otherwise: {self.otherwise!r} is one of `classes`")
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
        labelled, problems = self._labelled(patches)
        classes, strange = class_list((one.split, one.name) for one in labelled)
        numbers = {name: label for label, name in enumerate(classes)} | {None: -1}
        wanted = self.bands if isinstance(self.bands, tuple) else None

        def read(index: int) -> Content:
            return patches[index].content(wanted)

        return Found(
            origin=str(self.path),
            root=root.path,
            classes=classes,
            entries=[Entry(one.patch.name, one.split, numbers[one.name]) for one in labelled],
            read=read,
            files=[file for patch in patches for file in patch.files],
            ignored=ignored,
            problems=(*problems, *strange),
        )

    def _labelled(self, patches: Sequence[Patch]) -> tuple[list[_Labelled], list[Finding]]:
        """Split and class of each patch, and what stands against them."""
        found: list[_Labelled] = []
        seen: set[str] = set()
        damaged: list[str] = []
        several: list[str] = []
        bare: list[str] = []
        for patch in patches:
            above, _, _ = patch.name.partition("/")
            split = (split_of(above) or "") if "/" in patch.name else ""
            try:
                labels = labels_in(Path(patch.labels.path)) if patch.labels else None
            except ValueError as error:
                damaged.append(f"{patch.name}: {error}")
                labels = None
            seen.update(labels or ())
            names = classes_of(labels or (), self.classes)
            if len(names) > 1:
                several.append(f"{patch.name}: {' and '.join(names)}")
            name = names[0] if names else self.otherwise if labels is not None else None
            if split == "unlabeled":
                name = None
            elif name is None and split in ("val", "test"):
                bare.append(patch.name)
            found.append(_Labelled(patch, "unlabeled" if name is None else split, name))
        problems = [
            *absent_classes(self.classes, seen),
            *of_members(
                "damaged labels",
                "error",
                tuple(damaged),
                one="patch has",
                many="patches have",
                then=" labels that cannot be read:",
            ),
            *of_members(
                "several classes",
                "error",
                tuple(several),
                one="patch belongs",
                many="patches belong",
                then=" to several of `data.classes`, and can be of one alone:",
            ),
            *of_members(
                "no class",
                "error",
                tuple(bare),
                one="patch is",
                many="patches are",
                then=" for validation or test, and of no class:",
            ),
        ]
        return found, problems
