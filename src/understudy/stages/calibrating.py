"""How confident a finished classifier may be, fitted on the validation labels that it has read."""

from pathlib import Path

import numpy as np

from understudy.core.files import read_json
from understudy.data.pack import Pack
from understudy.data.splits import Splits
from understudy.evaluation.temperature import NONE, Temperature, fitted
from understudy.stages.label_count import FILE
from understudy.stages.material import Indices
from understudy.stages.observers import answers_on
from understudy.stages.restore import Restored


def temperature_of(run: Path, found: Restored, pack: Pack, splits: Splits) -> Temperature:
    """The temperature of one checkpoint; 1 where it has read no validation label of these images.

    Args:
        run: The run that it is of.
        found: The checkpoint.
        pack: Images.
        splits: Of the pack.
    """
    images = validation_labels(run, pack, splits)
    if not len(images):
        return NONE
    answers = answers_on(found.network, pack, images, size=found.settings.size)
    return fitted(answers.logits, pack.labels[images])


def validation_labels(run: Path, pack: Pack, splits: Splits) -> Indices:
    """Positions of the validation images whose labels a run has read, so that none is read anew.

    Images of the validation split alone: a position elsewhere, whatever the run says, is left out.
    """
    if not (run / FILE).exists():
        return np.array([], dtype=np.int64)
    told = read_json(run / FILE)
    if told.get("pack") != pack.key:
        return np.array([], dtype=np.int64)
    read = np.array(told.get("validation", []), dtype=np.int64)
    return np.asarray(np.intersect1d(read, splits.val), dtype=np.int64)
