"""Independent random streams from one seed, each with a name."""

import hashlib


def derived_seed(root: int, name: str) -> int:
    """A seed for one purpose, independent of those for other purposes.

    Args:
        root: The seed that the user set.
        name: The purpose, such as "initialisation", "order", "labels", "views".

    Returns:
        63 bits, equal on every machine and in every version.
    """
    digest = hashlib.sha256(f"{root}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
