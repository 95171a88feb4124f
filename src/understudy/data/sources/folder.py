"""Images in class folders, with or without split folders above them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from understudy.core.errors import DataError
from understudy.data.check.finding import Finding, named
from understudy.data.sources.class_list import class_list
from understudy.data.sources.file_source import FileSourceSettings, Found, images_in, reading, top
from understudy.data.sources.listing import Entry, seen, split_of
from understudy.data.sources.walk import Folder, ImageFile

_Image = tuple[str, str | None, ImageFile]
"""Split, class name (None: unlabeled), file."""


class FolderSettings(FileSourceSettings):
    """Image files in class folders.

    Either `train/`, `val/`, `test/` (also `training`, `valid`, `validation`, `testing`) that hold
    one folder per class, or class folders alone, which are then split. An `unlabeled/` folder
    beside them holds images without labels, at any depth.
    """

    kind: Literal["folder"] = "folder"
    path: Path
    """The folder."""

    def found(self) -> Found:
        """All image files, sorted by name within each split."""
        ignored: Counter[str] = Counter()
        problems: list[Finding] = []
        root = top(self.path, key="data.path", name="", ignored=ignored, suffixes=self.suffixes)
        arranged = list(_arranged(root, ignored, problems))
        classes, strange = class_list((split, name) for split, name, _ in arranged)
        labels = {name: label for label, name in enumerate(classes)} | {None: -1}
        files = [file for _, _, file in arranged]
        return Found(
            origin=str(self.path),
            root=root.path,
            classes=classes,
            entries=[Entry(file.name, split, labels[name]) for split, name, file in arranged],
            read=reading(files),
            files=files,
            ignored=ignored,
            problems=(*problems, *strange),
        )


def _arranged(root: Folder, ignored: Counter[str], problems: list[Finding]) -> Iterator[_Image]:
    """The images of either layout."""
    splits = _split_folders(root)
    pool = splits.pop("unlabeled", None)
    if "train" in splits:
        for split in ("train", "val", "test"):
            if split in splits:
                yield from _of_classes(root.inside(splits[split]), problems, split=split)
        loose = len(list(root.images()))
        others = [name for name in root.subfolders() if split_of(name) is None]
        loose += sum(1 for name in others for _ in root.inside(name).all_images())
        ignored.update({"image outside train, val, test, unlabeled": loose})
    else:
        yield from _of_classes(root, problems, split="", without=pool)
    if pool is not None:
        yield from (("unlabeled", None, file) for file in images_in(root.inside(pool), problems))


def _split_folders(root: Folder) -> dict[str, str]:
    """Folder names by split; without "train" where the folders are classes."""
    named: dict[str, list[str]] = {}
    for name in root.subfolders():
        named.setdefault(split_of(name) or "", []).append(name)
    twice = [names for split, names in named.items() if split and len(names) > 1]
    if twice:
        both = " and ".join(f"{name}/" for name in twice[0])
        raise DataError(f"{root.path}: {both} are the same split. Keep one, or merge them.")

    splits = {split: names[0] for split, names in named.items() if split}
    if "train" in splits and (root.holds_folders(splits["train"]) or "" not in named):
        return splits
    # Here a folder `train` beside other classes may be photographs of trains, but nobody has
    # classes called `val` and `test`: they are splits whose images we must not mix up.
    stray = [splits[split] for split in ("val", "test") if split in splits]
    if stray:
        raise DataError(
            f"{root.path}: found {stray[0]}/ but no train/ that holds class folders. "
            f"Put the training images into train/CLASS/, or rename {stray[0]}/."
        )
    return {"unlabeled": splits["unlabeled"]} if "unlabeled" in splits else {}


def _of_classes(
    folder: Folder, problems: list[Finding], *, split: str, without: str | None = None
) -> Iterator[_Image]:
    """The images of each class folder; a class folder may have folders inside."""
    loose = [file.name for file in folder.images()]
    classes = [name for name in folder.subfolders() if name != without]
    if loose:
        sentence = (
            f"{_place(folder)}{len(loose)} images lie outside class folders, such as {loose[0]!r}. "
            "Put each into the folder of its class, or into unlabeled/ beside train/."
        )
        problems.append(
            Finding("outside class folders", "error", sentence, tuple(loose), len(loose))
        )
    elif not classes:
        sentence = f"{_place(folder)}no class folders, and no images found.{seen(folder.ignored)}"
        problems.append(Finding("no images", "error", sentence))
    empty = []
    for name in classes:
        files = list(folder.inside(name).all_images())
        if not files:
            empty.append(f"{folder.name}/{name}".lstrip("/"))
        yield from ((split, name, file) for file in files)
    if empty:
        which = "this class folder" if len(empty) == 1 else "these class folders"
        sentence = (
            f"{named(empty)}: no images found in {which}. "
            f"Add some, or remove the folder.{seen(folder.ignored)}"
        )
        problems.append(Finding("empty class folder", "error", sentence, tuple(empty), len(empty)))


def _place(folder: Folder) -> str:
    return f"{folder.name}: " if folder.name else ""
