"""Every label that went into a network: its own, and those of the runs that it was made from."""

from pathlib import Path
from typing import Any

from understudy.core.files import read_json
from understudy.core.run import Run
from understudy.stages.material import Indices, Material

FILE = "data/labels.json"


def labels_read(
    run: Run, images: Material, *, train: Indices, validation: Indices, parent: Path | None
) -> dict[str, int]:
    """Writes down which images showed their label, and counts them for the summary.

    An image that both a run and its parent read is counted once; images of another pack cannot
    be compared, and are added.

    Args:
        run: Where to write.
        images: Of the run.
        train: Positions whose label trained.
        validation: Positions whose label chose a checkpoint or stopped a training.
        parent: The run that this one started or learned from.
    """
    nothing: dict[str, Any] = {"pack": images.pack.key, "elsewhere": {}}
    before = read_json(parent / FILE) if parent else nothing
    own = {"train": set(train.tolist()), "validation": set(validation.tolist())}
    elsewhere = dict(before["elsewhere"])
    for name, positions in own.items():
        if before["pack"] == images.pack.key:
            positions.update(before.get(name, []))
        else:
            elsewhere[name] = elsewhere.get(name, 0) + len(before[name])

    listed = {name: sorted(positions) for name, positions in own.items()}
    run.write(FILE, {"pack": images.pack.key, **listed, "elsewhere": elsewhere})
    return {name: len(found) + elsewhere.get(name, 0) for name, found in listed.items()}
