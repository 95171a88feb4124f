"""Image files below a folder, in a fixed order; what is no image is counted, not dropped unseen."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import DataError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".jp2"}
)
ARRAYS = frozenset({".npy", ".npz"})
"""Where bands are asked for, arrays are images too."""
SYSTEM_NAMES = frozenset(
    {"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found"}
)
SETTLED_SECONDS = 2.0  # the coarsest clock of a usual file system (FAT) ticks every 2 seconds


class ImageFile(NamedTuple):
    """One image file."""

    path: str
    name: str
    """Relative to the data's folder, with forward slashes."""
    times: tuple[int, int, int]
    """Size, and the nanoseconds of the last change of content and of attributes."""


class Folder:
    """A folder of images and class folders.

    Args:
        path: Where it is.
        name: What its images' names begin with; empty for the data's own folder.
        ignored: Counts, by reason, what is passed over.
        above: Device and number of every folder above it, up to the data's own.
        suffixes: What the names of images end in.

    Raises:
        DataError: It cannot be read.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        ignored: Counter[str],
        above: frozenset[tuple[int, int]],
        suffixes: frozenset[str] = SUFFIXES,
    ) -> None:
        self.path, self.name, self.ignored, self._above = path, name, ignored, above
        self._suffixes = suffixes
        entries = sorted(_entries(path), key=lambda entry: entry.name)
        kept = [entry for entry in entries if not _is_system(entry.name)]
        ignored.update({"hidden or system file": len(entries) - len(kept)})
        self._folders = [entry for entry in kept if entry.is_dir()]
        self._files = [entry for entry in kept if not entry.is_dir()]

    def subfolders(self) -> list[str]:
        """Names of the folders directly inside."""
        return [entry.name for entry in self._folders]

    def holds_folders(self, name: str) -> bool:
        """Whether one of the folders directly inside holds folders itself."""
        entries = _entries(self.path / name)
        return any(entry.is_dir() and not _is_system(entry.name) for entry in entries)

    def inside(self, name: str) -> "Folder":
        """One of the folders directly inside."""
        here = self.path.stat()
        above = self._above | {(here.st_dev, here.st_ino)}
        return Folder(
            self.path / name,
            name=self._below(name),
            ignored=self.ignored,
            above=above,
            suffixes=self._suffixes,
        )

    def images(self) -> Iterator[ImageFile]:
        """The images directly inside."""
        for entry in self._files:
            suffix = os.path.splitext(entry.name)[1].lower()
            if suffix in self._suffixes:
                yield ImageFile(entry.path, self._below(entry.name), _times(entry))
            else:
                self.ignored[f"file that is no image ({suffix or 'no suffix'})"] += 1

    def all_images(self) -> Iterator[ImageFile]:
        """The images at any depth; links are followed, but never in a circle."""
        here = self.path.stat()
        if (here.st_dev, here.st_ino) in self._above:
            self.ignored["link to a folder above it"] += 1
            return
        yield from self.images()
        for name in self.subfolders():
            yield from self.inside(name).all_images()

    def _below(self, name: str) -> str:
        # Names travel as UTF-8 text, in files and on screens; the odd byte is written out.
        readable = os.fsencode(name).decode("utf-8", "backslashreplace")
        return f"{self.name}/{readable}" if self.name else readable


def stamp_of(root: Path, files: Iterable[ImageFile], also: str) -> str:
    """A hash of every file's name, size and times; empty where a file is too fresh to trust it.

    Args:
        root: The data's folder.
        files: All that it gives.
        also: What else decides which bytes of the files are used.
    """
    digest = sha256(os.fsencode(os.path.realpath(root)) + f"\n{also!r}".encode())
    newest = 0
    for file in files:
        digest.update(f"\n{file.name!r} {file.times}".encode())
        newest = max(newest, *file.times[1:])
    return "" if newest / 1e9 > time.time() - SETTLED_SECONDS else digest.hexdigest()


def times_of(path: Path) -> tuple[int, int, int]:
    """Size, and the nanoseconds of the last change of content and of attributes."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error


def _is_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_NAMES


def _times(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere: reading it will say so, with the name
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
