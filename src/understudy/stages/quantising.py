"""The int8 twin of an exported file: made from training images, and judged before it is praised."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from understudy.core.errors import DataError
from understudy.data.fingerprint import groups_of
from understudy.data.pack import Pack
from understudy.data.splits import Splits
from understudy.evaluation.cost import latencies_ms
from understudy.evaluation.exported import Exported
from understudy.evaluation.int8 import write_int8
from understudy.stages.material import Indices
from understudy.stages.observers import pixels_of

CALIBRATED_ON = 512  # images; more move the ranges of activations by nothing that shows
COMPARED_ON = 2000  # validation images whose answers are compared; labels are not needed for it
MOST_LOST = 0.005  # of accuracy: half a point
LEAST_IMAGES = 200  # to tell half a point: of fewer, one image is more than that
LEAST_GAIN = 1.05  # times as fast; what is less, measuring alone can make


class Judgement(NamedTuple):
    """Both files side by side on this machine; shares are 0-1."""

    calibrated_on: int
    """Training images that the ranges were measured on."""
    labels: int
    """Validation images that the accuracies come from."""
    top1: float | None
    """Of the int8 file; None without labels."""
    top1_fp32: float | None
    compared: int
    """Validation images that the agreement comes from."""
    agreement: float
    """Share of them that both files put in the same class."""
    latency_ms_1: float
    latency_ms_64: float
    latency_ms_1_fp32: float
    latency_ms_64_fp32: float
    file_bytes: int
    file_bytes_fp32: int

    @property
    def against(self) -> list[str]:
        """What speaks against the int8 file; empty where it is recommended."""
        reasons = []
        if self.top1 is None or self.top1_fp32 is None:
            reasons.append("no validation label tells its accuracy")
        elif self.top1_fp32 - self.top1 > MOST_LOST + 1e-9:
            lost = 100 * (self.top1_fp32 - self.top1)
            reasons.append(f"it loses {lost:.1f} points on {self.labels} validation labels")
        elif self.labels < LEAST_IMAGES and not self._answers_alike:
            reasons.append(
                f"{self.labels} validation labels are too few to tell half a point, and its "
                f"answers differ on {100 * (1 - self.agreement):.1f} % of {self.compared} images"
            )
        for batch, own, other in (
            (1, self.latency_ms_1, self.latency_ms_1_fp32),
            (64, self.latency_ms_64, self.latency_ms_64_fp32),
        ):
            if own * LEAST_GAIN > other:
                reasons.append(
                    f"it is {other / own:.2f} times as fast here at batch {batch}, and less than "
                    f"{LEAST_GAIN} is no gain"
                )
        return reasons

    @property
    def _answers_alike(self) -> bool:
        """Whether the answers alone, without labels, show that no more than `MOST_LOST` is lost."""
        return self.compared >= LEAST_IMAGES and 1 - self.agreement <= MOST_LOST + 1e-9

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        reasons = self.against
        return {**self._asdict(), "recommended": not reasons, "against": reasons}


def quantised(exported: Path, *, path: Path, pack: Pack, splits: Splits, size: int) -> int:
    """Writes the int8 file and returns how many training images its ranges were measured on.

    Raises:
        DataError: No training image is left to measure them on.
    """
    images = calibration_images(pack, splits)
    write_int8(exported, path=path, pixels=pixels_of(pack, images, size=size))
    return len(images)


def judged(
    int8: Path,
    fp32: Path,
    *,
    calibrated_on: int,
    pack: Pack,
    splits: Splits,
    labelled: Indices,
    size: int,
) -> Judgement:
    """Compares two files on validation images and times both on one thread.

    Args:
        int8: The quantised file.
        fp32: What it was made from.
        calibrated_on: As `quantised` returned it.
        pack: Images.
        splits: Of the pack.
        labelled: Validation images whose labels may be read.
        size: That the network sees.
    """
    small, large = Exported(int8, threads=1), Exported(fp32, threads=1)
    others = np.setdiff1d(splits.val, labelled)
    shown = np.concatenate([labelled, others[: max(0, COMPARED_ON - len(labelled))]])
    answers, expected = (_answers(file, pack, shown, size=size) for file in (small, large))
    truth = pack.labels[labelled]
    right = [
        float((found[: len(truth)] == truth).mean()) if len(truth) else None
        for found in (answers, expected)
    ]
    one, many = (latencies_ms([small, large], batch=batch) for batch in (1, 64))
    return Judgement(
        calibrated_on=calibrated_on,
        labels=len(labelled),
        top1=right[0],
        top1_fp32=right[1],
        compared=len(shown),
        agreement=float((answers == expected).mean()),
        latency_ms_1=one[0],
        latency_ms_64=many[0],
        latency_ms_1_fp32=one[1],
        latency_ms_64_fp32=many[1],
        file_bytes=int8.stat().st_size,
        file_bytes_fp32=fp32.stat().st_size,
    )


def calibration_images(pack: Pack, splits: Splits) -> Indices:
    """Training images to measure ranges on, none of them a test image under another name.

    Raises:
        DataError: There are none.
    """
    groups = groups_of(pack.fingerprints)
    clean = splits.train[~np.isin(groups[splits.train], groups[splits.test])]
    if not len(clean):
        raise DataError(
            "int8 measures its ranges on training images, and every one of them is identical to a "
            "test image. Remove the copies, or leave `int8` out."
        )
    return spread(clean, CALIBRATED_ON)


def spread(images: Indices, count: int) -> Indices:
    """So many of the images, evenly over their order, which often is one class after the other."""
    places = np.linspace(0, len(images) - 1, min(count, len(images)), dtype=np.int64)
    return images[places]


def _answers(file: Exported, pack: Pack, images: Indices, *, size: int) -> Indices:
    pixels = pixels_of(pack, images, size=size).transpose(0, 2, 3, 1)
    parts = [
        file(np.ascontiguousarray(pixels[first : first + 64])).argmax(axis=1)
        for first in range(0, len(pixels), 64)
    ]
    return np.asarray(np.concatenate(parts), dtype=np.int64)
