"""Every label that went into a network: its own, and those of the runs that it was made from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from understudy.core.files import read_json
from understudy.core.run import Run
from understudy.data.pack import Pack
from understudy.stages.material import Indices

FILE = "data/labels.json"


def labels_read(
    run: Run, pack: Pack, *, train: Indices, validation: Indices, parents: Sequence[Path]
) -> dict[str, int]:
    """Writes down which images showed their label, and counts them for the summary.

    Args:
        run: Where to write.
        pack: The run's images.
        train: Positions whose label trained.
        validation: Positions whose label chose a checkpoint or stopped a training.
        parents: The runs that this one started or learned from.
    """
    found = labels_of(pack, train=train, validation=validation, parents=parents)
    run.write(FILE, found)
    return counted(found)


def labels_of(
    pack: Pack, *, train: Indices, validation: Indices, parents: Sequence[Path]
) -> dict[str, Any]:
    """The images whose label was read, by runs and by what was made of them.

    An image that both a run and its parents read is counted once; images of another pack cannot
    be compared, and are added.

    Args:
        pack: The images.
        train: Positions whose label was learned from.
        validation: Positions whose label chose.
        parents: Runs that read labels before.
    """
    own = {"train": set(train.tolist()), "validation": set(validation.tolist())}
    elsewhere: dict[str, int] = {}
    for parent in parents:
        before: dict[str, Any] = read_json(parent / FILE)
        is_same = before["pack"] == pack.key
        for name, positions in own.items():
            positions.update(before.get(name, []) if is_same else [])
            more = before["elsewhere"].get(name, 0) + (0 if is_same else len(before[name]))
            elsewhere |= {name: elsewhere.get(name, 0) + more} if more else {}

    listed = {name: sorted(positions) for name, positions in own.items()}
    return {"pack": pack.key, **listed, "elsewhere": elsewhere}


def counted(found: Mapping[str, Any]) -> dict[str, int]:
    """How many labels trained, and how many chose."""
    elsewhere = found["elsewhere"]
    return {name: len(found[name]) + elsewhere.get(name, 0) for name in ("train", "validation")}
