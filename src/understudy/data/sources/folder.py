"""Images in class folders, with or without split folders above them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from understudy.core.errors import DataError, UsageError
from understudy.data.check.finding import Finding, named
from understudy.data.sources.listing import (
    Entry,
    FileSourceSettings,
    Listing,
    existing,
    seen,
    split_of,
)
from understudy.data.sources.walk import Folder, ImageFile, stamp_of

_Found = tuple[str, str | None, ImageFile]
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
    unlabeled: Path | None = None
    """A further folder of images without labels, at any depth."""

    def survey(self) -> Listing:
        """All image files, sorted by name within each split."""
        ignored: Counter[str] = Counter()
        problems: list[Finding] = []
        root = _top(self.path, key="data.path", name="", ignored=ignored)
        found = list(_arranged(root, ignored, problems))
        if self.unlabeled is not None:
            key = "data.unlabeled"
            pool = _top(self.unlabeled, key=key, name=key, ignored=ignored)
            found += _of_pool(pool, problems)

        classes = _class_list(found, problems)
        labels = {name: label for label, name in enumerate(classes)} | {None: -1}
        files = [file for _, _, file in found]

        def read(index: int) -> bytes:
            return Path(files[index].path).read_bytes()

        return Listing(
            origin=str(self.path),
            classes=classes,
            entries=tuple(Entry(file.name, split, labels[name]) for split, name, file in found),
            read=read,
            decoding=self.decoding,
            ignored=+ignored,  # `+` takes the zero counts away
            stamp=stamp_of(root.path, files, also=""),
            problems=tuple(problems),
        )


def _top(path: Path, *, key: str, name: str, ignored: Counter[str]) -> Folder:
    place = existing(path, key=key)
    if not place.is_dir():
        raise UsageError(f"{key} = {path}: is a file. Name the folder that holds the images.")
    return Folder(place, name=name, ignored=ignored, above=frozenset())


def _arranged(root: Folder, ignored: Counter[str], problems: list[Finding]) -> Iterator[_Found]:
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
        yield from _of_pool(root.inside(pool), problems)


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
) -> Iterator[_Found]:
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


def _of_pool(folder: Folder, problems: list[Finding]) -> Iterator[_Found]:
    """The images of a folder without labels."""
    files = list(folder.all_images())
    if not files:
        sentence = (
            f"{folder.path}: no images found in this folder of unlabeled images. "
            f"Add some, or leave the folder out.{seen(folder.ignored)}"
        )
        problems.append(Finding("empty unlabeled folder", "error", sentence))
    yield from (("unlabeled", None, file) for file in files)


def _class_list(found: list[_Found], problems: list[Finding]) -> tuple[str, ...]:
    """The training classes, sorted; every other split may only use these.

    Classes that another split has beyond them are a problem, and stand behind them in the list,
    so that a check can count their images.
    """
    by_split: dict[str, set[str]] = {}
    for split, name, _ in found:
        if name is not None:
            by_split.setdefault(split, set()).add(name)
    known = by_split.get("train", set()) | by_split.get("", set())
    extra: set[str] = set()
    for split in ("val", "test"):
        if strange := by_split.get(split, set()) - known:
            problems.append(_strange_classes(sorted(strange), sorted(known), split=split))
            extra |= strange
    return (*sorted(known), *sorted(extra))


def _strange_classes(strange: list[str], known: list[str], *, split: str) -> Finding:
    sentence = (
        f"the {split} split has classes that train lacks: {', '.join(map(repr, strange))}. "
        f"The classes of train are: {', '.join(map(repr, known))}. "
        "Rename the folders, so that equal classes have equal names."
    )
    return Finding("extra classes", "error", sentence, tuple(strange), len(strange))
