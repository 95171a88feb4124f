"""The key of a data set: its images' bytes, names, splits, labels and groups, wherever it lies."""

import json
from hashlib import sha256

from understudy.core.depth import Pixels
from understudy.core.progress import Progress
from understudy.data import decode
from understudy.data.bands.decoding import BandDecoding
from understudy.data.blocks import in_blocks
from understudy.data.decode import Content
from understudy.data.sources.listing import Entry, Listing

KEY_LENGTH = 32  # 128 bits of SHA-256: no accidental collision


def content_digest(content: Content | Pixels) -> bytes:
    """SHA-256 of a file's bytes, of several files' with their names, or of pixels with a shape."""
    if isinstance(content, bytes):
        return sha256(content).digest()
    if isinstance(content, tuple):
        told = [[name, sha256(one).hexdigest()] for name, one in content]
        return sha256(json.dumps(told).encode()).digest()
    return sha256(f"pixels {content.shape}".encode() + content.tobytes()).digest()


def content_digests(listing: Listing, progress: Progress) -> list[bytes]:
    """The digest of every entry; that of a file that cannot be read is empty."""

    def digest(index: int) -> bytes:
        try:
            return content_digest(listing.read(index))
        except OSError:
            return b""

    title = f"reading {listing.origin}"
    blocks = in_blocks(digest, len(listing.entries), title=title, progress=progress)
    return [digest for block in blocks for digest in block]


def content_key(listing: Listing, digests: list[bytes]) -> str:
    """A hash of all that decides the pack's pixels, labels and groups, and of nothing else."""
    key = sha256(_beginning(listing))
    for entry, digest in zip(listing.entries, digests, strict=True):
        label = "" if entry.label < 0 else listing.classes[entry.label]
        told = [entry.name, entry.split, label, digest.hex(), *_more(entry, listing)]
        key.update(json.dumps(told).encode() + b"\n")
    return key.hexdigest()[:KEY_LENGTH]


def quick_key(listing: Listing) -> str:
    """A hash like `content_key` with the files' times in place of their bytes; empty if unknown."""
    if not listing.stamp:
        return ""
    key = sha256(_beginning(listing) + listing.stamp.encode())
    for entry in listing.entries:
        key.update(f"\n{entry.name!r} {entry.split} {entry.label} {_more(entry, listing)}".encode())
    return key.hexdigest()[:KEY_LENGTH]


def _more(entry: Entry, listing: Listing) -> list[str | list[str]]:
    """Nothing for an image of no group and no tags, so that the keys of packs without them stay."""
    group: list[str | list[str]] = [entry.group] if entry.group else []
    return group if entry.tags is None else [*group, [listing.tags[tag] for tag in entry.tags]]


def _beginning(listing: Listing) -> bytes:
    own = listing.decoding
    decoding = own.keyed if isinstance(own, BandDecoding) else own
    what = {"version": decode.VERSION, "decoding": decoding, "classes": listing.classes}
    return json.dumps(what).encode() + b"\n"
