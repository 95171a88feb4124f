"""A .npy file written image by image, its length known only at the end."""

import os
import shutil
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from understudy.core.depth import Pixels
from understudy.core.errors import StorageError


class RowWriter:
    """Appends images of one shape and depth to a .npy file.

    Args:
        path: The file; it is only whole after `finish`.
        most: The greatest number of images that may come, to see beforehand that they fit.
    """

    def __init__(self, path: Path, *, most: int) -> None:
        self._path, self._most = path, most
        self._stream = path.open("wb")
        self._shape: tuple[int, ...] = ()
        self._type = "|u1"
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def append(self, pixels: Pixels) -> None:
        """Writes one image [C, H, W].

        Raises:
            StorageError: Before the first, if the disk has too little room for all.
        """
        if not self._shape:
            self._must_fit(pixels.nbytes * self._most)
            self._shape, self._type = pixels.shape, np.dtype(pixels.dtype).str
            self._stream.write(self._header())
        found = (pixels.shape, np.dtype(pixels.dtype).str)
        if found != (self._shape, self._type):
            raise ValueError(f"image of {found} among those of {(self._shape, self._type)}")
        self._stream.write(np.ascontiguousarray(pixels).data)
        self._rows += 1

    def finish(self) -> None:
        """Writes the final length and waits until all is on the disk."""
        self._stream.seek(0)
        self._stream.write(self._header())
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def _header(self) -> bytes:
        """The same number of bytes for any length: NumPy leaves room to grow in the first axis."""
        written = BytesIO()
        shape = (self._rows, *self._shape)
        described = {"descr": self._type, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(written, described)
        return written.getvalue()

    def _must_fit(self, needed: int) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if needed > free:
            raise StorageError(
                f"{self._path.parent}: the decoded images need {needed / 1e9:.1f} GB, and "
                f"{free / 1e9:.1f} GB are free. Free some space, choose another folder with "
                "`--runs`, or set a smaller `data.size`."
            )
