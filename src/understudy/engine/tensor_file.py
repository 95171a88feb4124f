"""Whether a safetensors file is as long as its header says, asked before any of it fills memory."""

import json
from pathlib import Path

from understudy.core.errors import StorageError

LENGTH_BYTES = 8  # of the header, little-endian, before it (the format's specification)
MOST_HEADER = 100_000_000  # bytes; the format's own limit


def must_be_whole(path: Path) -> None:
    """Compares a file's length with what its header states; reads the header alone.

    What the header says of types, shapes and overlaps is left to the library.

    Raises:
        StorageError: The header is none, or the file is shorter or longer than it says.
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        header = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or header > min(MOST_HEADER, size - LENGTH_BYTES):
            raise StorageError(
                f"{path}: damaged, {size:,} bytes that begin with a header of {header:,}."
            )
        told = _end_of_data(stream.read(header))
    if told is None or LENGTH_BYTES + header + told != size:
        expected = "nothing that can be read" if told is None else f"{told:,} bytes of tensors"
        raise StorageError(
            f"{path}: damaged, its header tells of {expected}, and {size - header - LENGTH_BYTES:,}"
            " bytes follow it."
        )


def _end_of_data(header: bytes) -> int | None:
    """Where the last tensor ends; None where the header does not say."""
    try:
        entries = json.loads(header)
        ends = [entry["data_offsets"][1] for name, entry in entries.items() if _is_tensor(name)]
        return max((int(end) for end in ends), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def _is_tensor(name: str) -> bool:
    return name != "__metadata__"
