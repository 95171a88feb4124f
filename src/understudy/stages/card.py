"""All that a model card is computed from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from understudy.core.depth import Depth
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import Temperature
from understudy.stages.lineage import Ancestor
from understudy.stages.quantising import Judgement


class Evaluated(NamedTuple):
    """What an evaluation says of the exported checkpoint."""

    run: str
    split: str
    """test, or val."""
    figures: Mapping[str, Any]
    """One of the evaluation's entries."""
    leaked: int = 0
    """Images of the split that are identical to one outside it."""

    @property
    def seen(self) -> int:
        """Images of the split that it has learned from, or what it was made from."""
        return int(self.figures.get("seen") or 0)


class Card(NamedTuple):
    """All that the page is computed from."""

    file: str
    sha256: str
    classes: tuple[str, ...]
    channels: int
    preparation: Preparation
    temperature: Temperature
    checkpoint: str
    line: list[Ancestor]
    source: str
    """The kind of the images' source; where they lay is nobody's business."""
    pack: str
    splits: Mapping[str, int]
    """Images by split."""
    notes: tuple[str, ...]
    """Of the split: identical images on both sides, and the like."""
    evaluated: Evaluated | None
    parity: Mapping[str, Any]
    golden: Mapping[str, int]
    int8: Judgement | None
    int8_file: str
    file_bytes: int
    machine: Mapping[str, Any]
    version: str
    bands: tuple[str, ...] = ()
    """Names of the channels; empty for those of photographs."""
    depth: Depth = "uint8"
    """Of the pixels."""

    @property
    def model(self) -> Ancestor:
        """The run that was exported."""
        return self.line[0]
