"""Files that do something where they are only to be looked at."""

import pickle
from pathlib import Path


class _Sprung:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (str(self.target),))


def pickled_trap(target: Path) -> bytes:
    """A pickle that makes the file `target` when it is opened."""
    return pickle.dumps(_Sprung(target))
