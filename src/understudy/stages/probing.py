"""What frozen features are worth: k-NN and a linear probe, on the labels that the run may read."""

from pathlib import Path
from typing import Any

import numpy as np

from understudy.core.errors import UsageError
from understudy.core.files import read_json
from understudy.data.pack import Pack
from understudy.evaluation.knn import NearestSettings, nearest_accuracy
from understudy.evaluation.probe import Features, ProbeSettings, linear_probe
from understudy.stages.material import Indices
from understudy.stages.observers import NEIGHBOURS, features_on
from understudy.stages.restore import Restored


def probed(path: Path, model: Restored, pack: Pack, images: Indices) -> dict[str, Any]:
    """Probes the features of a run on some images.

    The labelled training images of the run's own subset are what both probes know; the labelled
    validation images choose the regularisation of the linear one.

    Args:
        path: The run.
        model: Its network.
        pack: The images.
        images: Positions in the pack to answer.

    Raises:
        UsageError: The run was made on other images.

    Returns:
        "knn_top1", "linear_top1", and how many labels they know.
    """
    if model.summary["pack"] != pack.key:
        raise UsageError(
            f"{path}: pretrained on other images than these, so its labelled ones are not here. "
            "Fine-tune it on these images first."
        )
    drawn = read_json(path / "data" / "splits.json")
    known, chosen = (np.array(drawn[name], np.int64) for name in ("labelled", "validation"))
    train, validation, asked = (
        Features(
            features_on(model.network, pack, some, size=model.settings.size), pack.labels[some]
        )
        for some in (known, chosen, images)
    )
    nearest = nearest_accuracy(
        asked.values,
        asked.labels,
        bank=train.values,
        bank_labels=train.labels,
        num_classes=len(pack.classes),
        settings=NearestSettings(neighbours=min(NEIGHBOURS, len(known))),
    )
    linear = linear_probe(train, validation, asked, settings=ProbeSettings())
    return {
        "knn_top1": nearest,
        "linear_top1": linear.test,
        "linear_strength": linear.strength,
        "labels": {"train": len(known), "validation": len(chosen)},
    }
