"""What every source of images gives: who is there, with which label, and how to read each."""

import difflib
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.depth import Pixels
from understudy.core.errors import DataError, UsageError
from understudy.core.settings import Settings
from understudy.data.bands.decoding import BandDecoding
from understudy.data.check.finding import Finding, complaint
from understudy.data.decode import Content, Decoding

SPLIT_NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
    "unlabeled": ("unlabeled", "unlabelled", "unsupervised"),
}
"""The usual names of each split, as folders and files carry them in any letter case."""

KIND_OF_SUFFIX = {
    ".csv": "manifest",
    ".tsv": "manifest",
    ".txt": "manifest",
    ".parquet": "parquet",
}
"""Which kind of source a file is likely to be; a Parquet file of paths is a manifest, too."""


AnyDecoding = Decoding | BandDecoding
"""What to make of file content: a photograph, or the bands of another image."""


class Entry(NamedTuple):
    """One image."""

    name: str
    """Relative to the source, so that it stays when the data moves."""
    split: str
    """"train", "val", "test", "unlabeled", or "" where the source gives no splits."""
    label: int
    """Position in the class list; -1 where there is none."""
    group: str = ""
    """What it belongs to, such as a scene or a patient, all on one side of a split; "": nothing."""
    tags: tuple[int, ...] | None = None
    """Positions in the list of tags, where images may have several labels; None: nobody knows."""


class Listing(NamedTuple):
    """The content of a source, nothing decoded yet."""

    origin: str
    """The source, as messages name it."""
    classes: tuple[str, ...]
    """One list by name for all splits."""
    entries: tuple[Entry, ...]
    read: Callable[[int], Content | Pixels]
    """The i-th entry's file content, or its pixels [C, H, W]; safe to call from many threads."""
    decoding: AnyDecoding | None
    """What to make of file content; None where `read` gives pixels."""
    ignored: Mapping[str, int]
    """Files that are no part of the data, counted by reason."""
    stamp: str
    """Changes when any file's name, size or time does; empty where nothing vouches for that."""
    problems: tuple[Finding, ...] = ()
    """What is wrong with the arrangement; a listing that has any serves for a check alone."""
    tags: tuple[str, ...] = ()
    """Every label there is, where an image may have several: a scheme makes classes of them. Empty
    where each image has one class."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of the channels; empty where they are those of photographs."""
        return self.decoding.bands if isinstance(self.decoding, BandDecoding) else ()


class SourceSettings(Settings, ABC):
    """Base of the settings of all sources."""

    @abstractmethod
    def survey(self) -> Listing:
        """Finds the images without decoding them; what is wrong stands in the listing.

        Raises:
            UsageError: The place does not exist.
            DataError: Nothing can be listed there.
        """

    def listing(self) -> Listing:
        """The survey, if a training may start from it.

        Raises:
            UsageError: The place does not exist.
            DataError: It holds no images, or their classes do not fit together; all is told.
        """
        return verified(self.survey())


def split_of(name: str) -> str | None:
    """The split that a folder or file name stands for, or None."""
    lower = name.lower()
    return next((split for split, names in SPLIT_NAMES.items() if lower in names), None)


def verified(listing: Listing) -> Listing:
    """The same listing, once its classes are found fit for training.

    Raises:
        DataError: With all its mistakes.
    """
    if found := mistakes(listing):
        raise DataError(complaint(found, origin=listing.origin))
    return listing


def mistakes(listing: Listing) -> list[Finding]:
    """Why no training can start: the source's own problems, no images, too few classes."""
    if not listing.entries:
        nothing = Finding("no images", "error", f"no images found.{seen(listing.ignored)}")
        return list(listing.problems) or [nothing]
    found = list(listing.problems)
    if len(listing.classes) < 2 and not listing.tags:
        one = f"only {listing.classes[0]!r}" if listing.classes else "none"
        sentence = (
            f"at least 2 classes are needed; found {one}. "
            "Give the images of each class a folder, or a label, of their own."
        )
        found.append(Finding("too few classes", "error", sentence))
    counts = Counter(entry.label for entry in listing.entries if entry.split in ("train", ""))
    told = {name for problem in listing.problems for name in problem.members}
    absent = [
        name for label, name in enumerate(listing.classes) if not counts[label] and name not in told
    ]
    if absent:
        sentence = (
            f"no training images of {quoted(absent)}. "
            "Add some, or take these classes away from every split."
        )
        found.append(Finding("no training images", "error", sentence, tuple(absent), len(absent)))
    return found


def seen(ignored: Mapping[str, int]) -> str:
    """Sentences on what lies there instead of images."""
    sentences = "".join(f" Ignored: {n} x {reason}." for reason, n in ignored.items() if n)
    advice = {
        "(.parquet)": " A folder is taken for class folders until you set `data.kind=parquet`.",
        "(.csv)": " If a .csv file names the images, give that file: data=FILE.csv.",
    }
    return sentences + "".join(advice[mark] for mark in advice if mark in sentences)


def existing(path: Path, *, key: str) -> Path:
    """The path with `~` resolved.

    Raises:
        UsageError: There is nothing; the nearest name that exists is given.
    """
    place = Path(os.path.expanduser(path))
    if os.path.exists(place):
        return place
    raise UsageError(f"{key} = {path}: does not exist. {nearest_place(place)}")


def nearest_place(place: Path) -> str:
    """What to say of a place that does not exist: the nearest name, and what is there instead."""
    parent = next(above for above in place.absolute().parents if os.path.isdir(above))
    wanted = place.absolute().relative_to(parent).parts[0]
    there = sorted(os.listdir(parent))
    close = difflib.get_close_matches(wanted, there, n=1, cutoff=0.5)
    guess = f"did you mean {str(parent / close[0])!r}? " if close else ""
    shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
    return f"{guess}{parent} holds: {shown or 'nothing'}."


def quoted(names: Sequence[str]) -> str:
    """The first ten names in quotes, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
