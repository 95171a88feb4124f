"""Files that are whole or absent: written beside their place, flushed, then moved over it."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from understudy.core.errors import StorageError, UsageError

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and run the same command again.",
    errno.EDQUOT: "Your disk quota is used up: free some space and run the same command again.",
    errno.EROFS: "The disk is read-only: choose another folder with `--runs`.",
    errno.EACCES: "Permission denied: choose another folder with `--runs`.",
    errno.EIO: "The disk reports errors: copy your runs to another one.",
}

MOST_JSON_BYTES = 1 << 30  # the names and labels of ten million images; more would fill memory


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns a refusal of the disk into a `StorageError` that names the path and a way out."""
    try:
        yield
    except OSError as error:
        if error.errno not in _ADVICE:
            raise
        raise StorageError(f"{path}: {error.strerror}. {_ADVICE[error.errno]}") from error


def write_bytes(path: Path, content: bytes) -> str:
    """Writes a file whole or not at all, also across a crash of the machine.

    Returns:
        The content's SHA-256, hexadecimal.

    Raises:
        StorageError: The disk is full, read-only or refuses; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storage_errors(path):
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    return sha256(content).hexdigest()


def write_text(path: Path, text: str) -> str:
    """Writes UTF-8 text as `write_bytes` does."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> str:
    """Writes JSON as `write_bytes` does; NaN and infinity, which JSON lacks, are refused."""
    return write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        StorageError: The file is damaged, or larger than any that is written here.
    """
    if (size := path.stat().st_size) > MOST_JSON_BYTES:
        raise StorageError(f"{path}: damaged, {size:,} bytes of JSON; at most {MOST_JSON_BYTES:,}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        raise StorageError(f"{path}: damaged, not JSON ({error}).") from error


def read_given(path: Path) -> bytes:
    """The content of a file that the user named.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def file_hash(path: Path) -> str:
    """The SHA-256 of a file that the user named, hexadecimal; the file may be larger than memory.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def make_folder(path: Path) -> Path:
    """The folder, made with its parents where missing.

    Raises:
        StorageError: The disk refuses.
    """
    with storage_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def replace_folder(new: Path, place: Path) -> None:
    """Moves a finished folder over another; at every instant one of the two can be found.

    A crash in the middle leaves the old one beside its place, with `.old` in front of its name.
    """
    old = place.with_name(f".old-{place.name}")
    with storage_errors(place):
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        new.rename(place)
        _sync_folder(place.parent)
        shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
