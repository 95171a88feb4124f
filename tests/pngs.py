"""PNG files written out by hand, for what Pillow cannot or will not write."""

import struct
import zlib


def png(header: bytes, rows: bytes) -> bytes:
    """A file of a header, as IHDR holds it, and of rows with their filter bytes."""
    signature = b"\x89PNG\r\n\x1a\n"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return signature + b"".join(_chunk(name, content) for name, content in chunks)


def png_claiming(width: int, height: int) -> bytes:
    """A file that claims a size, but holds next to no pixels."""
    return png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"\0" * 7)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum
